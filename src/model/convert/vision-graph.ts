import type { CheckpointConfig } from '../checkpoint/config.js'
import type { GraphBuilder } from '../graph/builder.js'
import type { Module } from '../graph/module.js'
import { add, cast, float32, gather, int64, multiply, reshape, slice, transpose } from '../graph/ops.js'
import type { Value } from '../graph/value.js'
import type { PixelRules, VisionTower } from '../parts/part.js'

const LEVELS = 256
const CHANNELS = 3

/**
 * Builds the vision encoder: uint8 pixels in, the tower's features out.
 *
 * ```
 * pixels u8, near_black ─ normalise ─ tower ─ select ──► features f32 [frames, tokens, width]
 * ```
 *
 * @param module At the checkpoint's root.
 */
export function buildVisionEncoder(module: Module, tower: VisionTower, rules: PixelRules, config: CheckpointConfig): void {
  const { graph } = module
  const size = rules.imageSize
  const pixels = graph.input('pixels', 'uint8', ['frames', size, size, CHANNELS])
  const nearBlack = graph.input('near_black', 'bool', ['frames'])
  const normalised = normalise(graph.scope('normalise'), pixels, nearBlack, rules)
  const features = tower.build(module.child('vision_tower._vision_tower'), cast(graph, normalised, module.precision.activations), config)
  graph.output('features', cast(graph, selectFeatures(graph.scope('select'), features, config), 'float32'))
}

/**
 * Rescales and normalises by a table of all 256 levels, so that every device gives the very float32
 * values of the reference, which rescales in float64.
 */
function normalise(graph: GraphBuilder, pixels: Value, nearBlack: Value, rules: PixelRules): Value {
  const table = float32(graph, normalisedLevels(rules))
  const scaledOrNot = reshape(graph, cast(graph, nearBlack, 'int64'), [-1, 1, 1, 1], ['frames', 1, 1, 1])
  const half = multiply(graph, scaledOrNot, int64(graph, CHANNELS * LEVELS))
  const channels = int64(graph, Array.from({ length: CHANNELS }, (_, channel) => channel * LEVELS))
  const index = add(graph, add(graph, cast(graph, pixels, 'int64'), half), channels)
  return transpose(graph, gather(graph, table, index), [0, 3, 1, 2])
}

/** The float32 value of each level, `[rescaled or not][channel][level]`, flat. */
export function normalisedLevels({ rescaleFactor, mean, std }: PixelRules): Float32Array {
  const value = (level: number, channel: number, factor: number): number => {
    const scaled = Math.fround(level * factor)
    const centred = Math.fround(scaled - Math.fround(mean[channel] ?? 0))
    return centred / Math.fround(std[channel] ?? 1)
  }
  return Float32Array.from({ length: 2 * CHANNELS * LEVELS }, (_, index) => {
    const channel = Math.floor(index / LEVELS) % CHANNELS
    return value(index % LEVELS, channel, index < CHANNELS * LEVELS ? rescaleFactor : 1)
  })
}

/** `patch` drops the first token, also where the tower has no class token (the reference does too). */
function selectFeatures(graph: GraphBuilder, features: Value, config: CheckpointConfig): Value {
  if (config.vision_feature_select_strategy === 'cls_patch') return features
  const tokens = Number(features.shape[1])
  return slice(graph, features, int64(graph, [1]), int64(graph, [tokens]), 1, tokens - 1)
}
