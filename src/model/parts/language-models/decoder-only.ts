import { embedding } from '../../graph/blocks/embedding.js'
import type { Module } from '../../graph/module.js'
import type { Value } from '../../graph/value.js'
import type { Attend, LanguageModelShape } from '../part.js'
import { type EosTokenIds, eosList } from './eos.js'

/** What transformers' configurations of decoder-only models have in common. */
export interface DecoderOnlyConfig {
  readonly vocab_size: number
  readonly hidden_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly num_key_value_heads?: number | null | undefined
  readonly max_position_embeddings: number
  readonly rope_theta: number
  readonly eos_token_id?: EosTokenIds
}

/** One layer: hidden states `[rows, width]` in and out. */
export type DecoderLayer = (layer: Module, hidden: Value, attend: (self: Module, projections: Projections) => Value) => Value

/** Queries, keys and values of a layer. */
export type Projections = Parameters<Attend>[2]

/**
 * What a configuration says of its attention and vocabulary.
 *
 * @param rotatedShare Share of each head that is rotated by position.
 */
export function decoderShape(config: DecoderOnlyConfig, rotatedShare: number): LanguageModelShape {
  const headSize = config.hidden_size / config.num_attention_heads
  return {
    width: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    keyValueHeads: config.num_key_value_heads ?? config.num_attention_heads,
    headSize,
    vocabularySize: config.vocab_size,
    rotated: Math.trunc(rotatedShare * headSize),
    ropeTheta: config.rope_theta,
    maxPositions: config.max_position_embeddings,
    eosTokenIds: eosList(config.eos_token_id),
  }
}

/** Rows of `model.embed_tokens.weight`, `[vocabulary, width]`. */
export function embedTokens(module: Module, ids: Value, config: DecoderOnlyConfig): Value {
  return embedding(module.child('model.embed_tokens'), ids, [config.vocab_size, config.hidden_size])
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
