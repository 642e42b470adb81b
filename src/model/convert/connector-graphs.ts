import type { CheckpointConfig } from '../checkpoint/config.js'
import type { Module } from '../graph/module.js'
import { cast } from '../graph/ops.js'
import type { Value } from '../graph/value.js'
import type { Connector, FramesAlone } from '../parts/part.js'

/** Sizes between the tower and the language model. */
export interface ConnectorSizes {
  readonly tokensPerFrame: number
  readonly visionWidth: number
  /** Of the language model. */
  readonly width: number
}

/** Builds the connector over whole clips: `features` to `visual_tokens`. @param root At the checkpoint's root. */
export function buildConnector(root: Module, connector: Connector, config: CheckpointConfig, sizes: ConnectorSizes): void {
  const features = floatInput(root, 'features', ['frames', sizes.tokensPerFrame, sizes.visionWidth])
  floatOutput(root, 'visual_tokens', connector.build(root.child('connector'), features, config, sizes.width))
}

/** Builds what one frame becomes by itself: `features` to `frame_tokens`. */
export function buildFrameConnector(root: Module, alone: FramesAlone, config: CheckpointConfig, sizes: ConnectorSizes): void {
  const features = floatInput(root, 'features', [1, sizes.tokensPerFrame, sizes.visionWidth])
  floatOutput(root, 'frame_tokens', alone.condense(root.child('connector'), features, config, sizes.width))
}

/** Builds the joining of all frames: `frame_tokens` to `visual_tokens`. */
export function buildJoinFrames(root: Module, alone: FramesAlone, config: CheckpointConfig, { width }: ConnectorSizes): void {
  const frameTokens = floatInput(root, 'frame_tokens', ['visual', width])
  floatOutput(root, 'visual_tokens', alone.join(root.child('connector'), frameTokens, config, width))
}

/** A float32 input, in the type that the part computes in. */
function floatInput({ graph, precision }: Module, name: string, shape: Value['shape']): Value {
  return cast(graph, graph.input(name, 'float32', shape), precision.activations)
}

function floatOutput({ graph }: Module, name: string, value: Value): void {
  graph.output(name, cast(graph, value, 'float32'))
}
