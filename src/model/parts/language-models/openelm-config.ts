import { z } from 'zod'

import { type CheckpointConfig, parseConfig, unsupported } from '../../checkpoint/config.js'
import type { LayerHeads } from '../part.js'
import { eosSchema } from './eos.js'

const positive = z.int().min(1)
const factor = z.number().gt(0)

/** One for all layers, or those of the first and the last with even steps between. */
const multipliers = z.union([factor, z.array(factor).min(1)])

/** Defaults of the `OpenELMConfig` that TinyLLaVA_Factory carries: a key equal to its default may be missing. */
export const openelmConfigSchema = z.object({
  vocab_size: positive.default(32000),
  model_dim: positive.default(2048),
  num_transformer_layers: positive.default(12),
  head_dim: positive.default(128),
  max_context_length: positive.default(2048),
  qkv_multipliers: multipliers.default(1),
  num_gqa_groups: positive.nullable().default(1),
  num_kv_heads: z.array(positive).optional(),
  ffn_multipliers: multipliers.default(4),
  ffn_with_glu: z.boolean().default(true),
  ffn_dim_divisor: positive.default(256),
  activation_fn_name: z.string().default('swish'),
  normalize_qk_projections: z.boolean().default(false),
  share_input_output_layers: z.boolean().default(false),
  /** Of all configurations of transformers. */
  tie_word_embeddings: z.boolean().default(true),
  rope_freq_constant: factor.default(10000),
  eos_token_id: eosSchema.default(2),
})

/** One layer's sizes. */
export interface OpenelmLayer extends LayerHeads {
  /** Width between the feed-forward network's two layers. */
  readonly inner: number
}

/** What an OpenELM is, layer by layer. */
export interface OpenelmConfig extends z.infer<typeof openelmConfigSchema> {
  readonly layers: readonly OpenelmLayer[]
}

/**
 * Reads an OpenELM's configuration. Widths follow from multipliers as in the reference, which computes `num_query_heads`
 * anew and takes `num_kv_heads` as it finds it.
 *
 * Source: TinyLLaVA_Factory `model/llm/openelm.py` (`OpenELMConfig.__post_init__`, `OpenELMFeedForwardNetwork`).
 *
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`.
 */
export function parseOpenelm({ text_config }: CheckpointConfig): OpenelmConfig {
  const config = parseConfig(openelmConfigSchema, text_config, 'text_config')
  const { model_dim: width, head_dim: headSize, num_transformer_layers: count, num_gqa_groups: groups } = config
  if (groups === null) throw unsupported('num_gqa_groups null')
  const feedForward = perLayer(config.ffn_multipliers, count, 'ffn_multipliers')
  const attention = perLayer(config.qkv_multipliers, count, 'qkv_multipliers')
  const layers = feedForward.map((multiplier, index) => {
    const heads = roundToMultiple(width * (attention[index] ?? NaN), headSize * groups) / headSize
    const keyValueHeads = config.num_kv_heads?.[index] ?? Math.floor(heads / groups)
    return { heads, keyValueHeads, inner: roundToMultiple(multiplier * width, config.ffn_dim_divisor) }
  })
  return { ...config, layers }
}

/** A multiplier for each layer. Of two, those between are rounded to hundredths. */
function perLayer(given: number | readonly number[], count: number, field: string): readonly number[] {
  if (typeof given === 'number') return new Array<number>(count).fill(given)
  const [first = 0, last = 0] = given
  if (given.length === 2) {
    const step = count === 1 ? 0 : (last - first) / (count - 1)
    return Array.from({ length: count }, (_, index) => roundToHundredths(index === count - 1 && count > 1 ? last : first + index * step))
  }
  if (given.length === count) return given
  throw unsupported(`text_config with ${given.length} ${field} for ${count} layers`)
}

/** As numpy rounds: halves to the even neighbour. */
function roundToHundredths(value: number): number {
  const scaled = value * 100
  const below = Math.floor(scaled)
  const isHalf = scaled - below === 0.5
  return (isHalf ? below + (below % 2) : Math.round(scaled)) / 100
}

/** The multiple of `divisor` that is nearest, one at least, and not below nine tenths of the value. */
function roundToMultiple(value: number, divisor: number): number {
  const nearest = Math.max(divisor, Math.floor(Math.trunc(value + divisor / 2) / divisor) * divisor)
  return nearest < 0.9 * value ? nearest + divisor : nearest
}
