import type { CheckpointConfig } from '../checkpoint/config.js'
import { roundToFloat16 } from '../float16.js'
import type { GraphBuilder } from '../graph/builder.js'
import type { Module } from '../graph/module.js'
import { add, cast, float32, gather, int64, multiply, reshape, slice, transpose } from '../graph/ops.js'
import type { Value } from '../graph/value.js'
import { PIXEL_LEVELS } from '../manifest.js'
import type { PixelRules, VisionTower } from '../parts/part.js'
import type { Activations } from '../precision.js'

/** Where a checkpoint keeps its tower's tensors. */
export const TOWER = 'vision_tower._vision_tower'

/** What a vision encoder is built of. */
export interface VisionEncoderParts {
  readonly tower: VisionTower
  readonly rules: PixelRules
  /** Type the features are given in. */
  readonly features: Activations
}

const LEVELS = 256
const CHANNELS = 3

/**
 * Builds the vision encoder: uint8 pixels in, the tower's features out.
 *
 * ```
 * pixels u8, levels i64 ─ normalise ─ tower ─ select ──► features [frames, tokens, width]
 * ```
 *
 * @param module At the checkpoint's root.
 */
export function buildVisionEncoder(module: Module, config: CheckpointConfig, parts: VisionEncoderParts): void {
  const { tower, rules } = parts
  const { graph } = module
  const size = rules.imageSize
  const pixels = graph.input('pixels', 'uint8', ['frames', size, size, CHANNELS])
  const levels = graph.input('levels', 'int64', ['frames'])
  const normalised = normalise(graph.scope('normalise'), pixels, levels, rules)
  const features = tower.build(module.child(TOWER), cast(graph, normalised, module.precision.activations), config)
  graph.output('features', cast(graph, selectFeatures(graph.scope('select'), features, config), parts.features))
}

/**
 * Rescales and normalises by a table of all 256 levels, so that every device gives the very float32
 * values of the reference, which rescales in float64.
 */
function normalise(graph: GraphBuilder, pixels: Value, levels: Value, rules: PixelRules): Value {
  const table = float32(graph, normalisedLevels(rules))
  const kind = multiply(graph, reshape(graph, levels, [-1, 1, 1, 1], ['frames', 1, 1, 1]), int64(graph, CHANNELS * LEVELS))
  const channels = int64(graph, Array.from({ length: CHANNELS }, (_, channel) => channel * LEVELS))
  const index = add(graph, add(graph, cast(graph, pixels, 'int64'), kind), channels)
  return transpose(graph, gather(graph, table, index), [0, 3, 1, 2])
}

/** The float32 value of each level, `[PIXEL_LEVELS][channel][level]`, flat. */
export function normalisedLevels({ rescaleFactor, mean, std }: PixelRules): Float32Array {
  const normalised = (level: number, channel: number, factor: number): number => {
    const scaled = Math.fround(level * factor)
    return Math.fround(scaled - Math.fround(mean[channel] ?? 0)) / Math.fround(std[channel] ?? 1)
  }
  const values: Readonly<Record<number, (level: number, channel: number) => number>> = {
    [PIXEL_LEVELS.frame]: (level, channel) => normalised(level, channel, rescaleFactor),
    [PIXEL_LEVELS.nearBlackFrame]: (level, channel) => normalised(level, channel, 1),
    [PIXEL_LEVELS.picture]: (level, channel) => roundToFloat16(normalised(level, channel, rescaleFactor)),
  }
  const size = CHANNELS * LEVELS
  return Float32Array.from({ length: Object.keys(values).length * size }, (_, index) =>
    values[Math.floor(index / size)]?.(index % LEVELS, Math.floor(index / LEVELS) % CHANNELS) ?? NaN)
}

/** `patch` drops the first token, also where the tower has no class token (the reference does too). */
function selectFeatures(graph: GraphBuilder, features: Value, config: CheckpointConfig): Value {
  if (config.vision_feature_select_strategy === 'cls_patch') return features
  const tokens = Number(features.shape[1])
  return slice(graph, features, int64(graph, [1]), int64(graph, [tokens]), 1, tokens - 1)
}
