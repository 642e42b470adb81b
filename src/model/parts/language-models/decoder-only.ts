import { StreamError } from '../../../errors.js'
import { unsupported } from '../../checkpoint/config.js'
import { embedding } from '../../graph/blocks/embedding.js'
import { linear } from '../../graph/blocks/linear.js'
import type { Module } from '../../graph/module.js'
import type { Value } from '../../graph/value.js'
import type { Attend, LanguageModelShape, LayerHeads } from '../part.js'
import { type EosTokenIds, eosList } from './eos.js'
import { ropeScaling } from './rope-scaling.js'

/** What transformers' configurations of decoder-only models have in common. */
export interface DecoderOnlyConfig {
  readonly vocab_size: number
  readonly hidden_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly num_key_value_heads?: number | null | undefined
  /** Left out: the width's share of a head. */
  readonly head_dim?: number
  readonly max_position_embeddings: number
  readonly rope_theta: number
  readonly rope_scaling?: unknown
  /** Share of each head that is rotated by position; left out: all of it. */
  readonly partial_rotary_factor?: number
  readonly tie_word_embeddings: boolean
  readonly eos_token_id?: EosTokenIds
}

/** One layer: hidden states `[rows, width]` in and out. */
export type DecoderLayer = (layer: Module, hidden: Value, attend: AttendHere) => Value

/** Attention of the layer at hand; `self` is the module below which its nodes go. */
export type AttendHere = (self: Module, projections: Projections) => Value

/** Queries, keys and values of a layer. */
export type Projections = Parameters<Attend>[2]

/**
 * What a configuration says of its attention and vocabulary.
 *
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID` where heads and widths don't fit, `CHECKPOINT_UNSUPPORTED`.
 */
export function decoderShape(config: DecoderOnlyConfig): LanguageModelShape {
  const heads = headsOf(config)
  const headSize = headSizeOf(config)
  const rotated = Math.trunc((config.partial_rotary_factor ?? 1) * headSize)
  const { factor, endsAtMaxPositions } = ropeScaling(config.rope_scaling)
  return checkShape({
    width: config.hidden_size,
    layers: Array.from({ length: config.num_hidden_layers }, () => heads),
    headSize,
    vocabularySize: config.vocab_size,
    rotary: { rotated, theta: config.rope_theta, factor },
    maxPositions: config.max_position_embeddings,
    endsAtMaxPositions,
    eosTokenIds: eosList(config.eos_token_id),
  })
}

/** The heads of each layer, where all are alike. */
export function headsOf({ num_attention_heads: heads, num_key_value_heads: keyValueHeads }: DecoderOnlyConfig): LayerHeads {
  return { heads, keyValueHeads: keyValueHeads ?? heads }
}

/** Values of a head. */
export function headSizeOf({ head_dim: headSize, hidden_size: width, num_attention_heads: heads }: DecoderOnlyConfig): number {
  if (headSize !== undefined) return headSize
  if (width % heads === 0) return width / heads
  throw invalid(`${heads} heads don't divide a width of ${width}`)
}

/** Checks what the weights' shapes don't tell. */
export function checkShape(shape: LanguageModelShape): LanguageModelShape {
  const uneven = shape.layers.find(({ heads, keyValueHeads }) => heads % keyValueHeads !== 0)
  if (uneven !== undefined) throw invalid(`${uneven.keyValueHeads} key-value heads don't divide ${uneven.heads} heads`)
  const { rotated } = shape.rotary
  if (rotated % 2 !== 0 || rotated < 2 || rotated > shape.headSize) {
    throw unsupported(`A rotation of ${rotated} of ${shape.headSize} values of a head`)
  }
  return shape
}

const invalid = (what: string): StreamError =>
  new StreamError('CHECKPOINT_CONFIG_INVALID', `text_config can't be used: ${what}. Take config.json from where the weights come from.`)

/** Rows of `model.embed_tokens.weight`, `[vocabulary, width]`. */
export function embedTokens(module: Module, ids: Value, config: DecoderOnlyConfig): Value {
  return embedding(module.child('model.embed_tokens'), ids, [config.vocab_size, config.hidden_size])
}

/** Logits by `lm_head.weight`, or where the configuration ties them by the embeddings. */
export function headOrEmbedding(module: Module, hidden: Value, config: DecoderOnlyConfig): Value {
  if (!config.tie_word_embeddings) return linear(module.child('lm_head'), hidden, config.vocab_size, { bias: false })
  module.ignore(/^lm_head\.weight$/)
  return linear(module.child('model.embed_tokens'), hidden, config.vocab_size, { bias: false })
}

/** Stacks `model.layers.0`, `model.layers.1`, … */
export function stackLayers(module: Module, embeddings: Value, config: DecoderOnlyConfig, attend: Attend, layer: DecoderLayer): Value {
  let hidden = embeddings
  for (let index = 0; index < config.num_hidden_layers; index += 1) {
    const here = module.child(`model.layers.${index}`)
    // A buffer that old checkpoints saved; it follows from the configuration.
    here.ignore(/^self_attn\.rotary_emb\.inv_freq$/)
    hidden = layer(here, hidden, (self, projections) => attend(self, index, projections))
  }
  return hidden
}
