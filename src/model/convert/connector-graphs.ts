import type { CheckpointConfig } from '../checkpoint/config.js'
import type { Module } from '../graph/module.js'
import { add, cast, float32, multiply, reduceSum } from '../graph/ops.js'
import type { Dimension, Value } from '../graph/value.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import type { Connector, FramesAlone } from '../parts/part.js'
import type { Activations } from '../precision.js'

/** Sizes and types between the tower and the language model. */
export interface ConnectorSizes {
  readonly tokensPerFrame: number
  readonly visionWidth: number
  /** Type the tower's features come in. */
  readonly features: Activations
  /** Of the language model. */
  readonly width: number
}

/** Fills an empty graph. @param root At the checkpoint's root. */
export type FillGraph = (root: Module) => void

/** A connector's graphs by their file's name, each as what fills it. @throws when one is filled: what the connector throws. */
export function connectorGraphs(connector: Connector, config: CheckpointConfig, sizes: ConnectorSizes): ReadonlyMap<string, FillGraph> {
  const { alone } = connector
  const whole: FillGraph = (root) => { buildConnector(root, connector, config, sizes) }
  if (alone === undefined || alone === 'always') return new Map([[GRAPH_FILES.connector, whole]])
  return new Map<string, FillGraph>([
    [GRAPH_FILES.connector, whole],
    [GRAPH_FILES.frameConnector, (root) => { buildFrameConnector(root, alone, config, sizes) }],
    [GRAPH_FILES.joinFrames, (root) => { buildJoinFrames(root, alone, config, sizes) }],
  ])
}

/** What the manifest says of a connector. @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`. */
export function describeConnector({ alone }: Connector, config: CheckpointConfig): Manifest['connector'] {
  const name = config.connector_type
  if (alone === undefined) return { name }
  return { name, framesAlone: alone === 'always' ? alone : alone.frames(config) }
}

/** Whole clips: `features` to `visual_tokens`. */
function buildConnector(root: Module, connector: Connector, config: CheckpointConfig, sizes: ConnectorSizes): void {
  const features = featuresInput(root, 'frames', sizes)
  floatOutput(root, 'visual_tokens', connector.build(root.child('connector'), features, config, sizes.width))
}

/**
 * Whole clips, and where was looked: `features` to `visual_tokens` and `attention`, the mean over heads and over the layers that
 * look at tokens, `[parts, queries, context]`. A part's tokens come first in its context.
 *
 * @param looks Fills up while the connector is built; stays empty where it has no attention. Then there is no such graph.
 */
export function buildExplainingConnector(
  root: Module,
  looks: readonly Value[],
  { connector, config, sizes }: { connector: Connector; config: CheckpointConfig; sizes: ConnectorSizes },
): void {
  const { graph } = root
  buildConnector(root, connector, config, sizes)
  const [first, ...rest] = looks.map((weights) => reduceSum(graph, cast(graph, weights, 'float32'), [1]))
  if (first === undefined) return
  const heads = Number(looks[0]?.shape[1])
  const sum = rest.reduce((all, look) => add(graph, all, look), first)
  graph.output('attention', multiply(graph, sum, float32(graph, 1 / (heads * looks.length))))
}

/** What one frame becomes by itself: `features` to `frame_tokens`. */
function buildFrameConnector(root: Module, alone: FramesAlone, config: CheckpointConfig, sizes: ConnectorSizes): void {
  const features = featuresInput(root, 1, sizes)
  floatOutput(root, 'frame_tokens', alone.condense(root.child('connector'), features, config, sizes.width))
}

/** The joining of all frames: `frame_tokens` to `visual_tokens`. */
function buildJoinFrames(root: Module, alone: FramesAlone, config: CheckpointConfig, { width }: ConnectorSizes): void {
  const frameTokens = cast(root.graph, root.graph.input('frame_tokens', 'float32', ['visual', width]), root.precision.activations)
  floatOutput(root, 'visual_tokens', alone.join(root.child('connector'), frameTokens, config, width))
}

/** Frames' features, in the type that the part computes in. */
function featuresInput({ graph, precision }: Module, frames: Dimension, sizes: ConnectorSizes): Value {
  const { features, tokensPerFrame, visionWidth } = sizes
  return cast(graph, graph.input('features', features, [frames, tokensPerFrame, visionWidth]), precision.activations)
}

function floatOutput({ graph }: Module, name: string, value: Value): void {
  graph.output(name, cast(graph, value, 'float32'))
}
