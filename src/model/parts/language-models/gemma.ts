import { z } from 'zod'

import { type CheckpointConfig, parseConfig } from '../../checkpoint/config.js'
import { shiftedRmsNorm } from '../../graph/blocks/norm.js'
import { multiply, scalarLike } from '../../graph/ops.js'
import type { LanguageModel } from '../part.js'
import { decoderShape, embedTokens, headOrEmbedding, stackLayers } from './decoder-only.js'
import { eosSchema } from './eos.js'
import { type GatedLayerStyle, gatedLayer } from './gated-layer.js'

const positive = z.int().min(1)

/**
 * Defaults of transformers 4.40.1's `GemmaConfig`: a key equal to its default is not saved. The gate's activation is
 * `hidden_activation`, else the tanh approximation, whatever `hidden_act` says: early configurations have it wrong.
 */
export const gemmaConfigSchema = z.object({
  vocab_size: positive.default(256000),
  hidden_size: positive.default(3072),
  intermediate_size: positive.default(24576),
  num_hidden_layers: positive.default(28),
  num_attention_heads: positive.default(16),
  num_key_value_heads: positive.default(16),
  head_dim: positive.default(256),
  hidden_activation: z.string().nullish(),
  max_position_embeddings: positive.default(8192),
  rms_norm_eps: z.number().default(1e-6),
  tie_word_embeddings: z.boolean().default(true),
  rope_theta: z.number().default(10000),
  attention_bias: z.boolean().default(false),
  eos_token_id: eosSchema.default(1),
})

const parseGemma = ({ text_config }: CheckpointConfig) => {
  const config = parseConfig(gemmaConfigSchema, text_config, 'text_config')
  return { ...config, hidden_act: config.hidden_activation ?? 'gelu_pytorch_tanh' }
}

/**
 * Gemma (Gemma Team 2024), as transformers 4.40.1's `GemmaForCausalLM`: norms that scale by `1 + weight`, heads of a size
 * of their own, embeddings times the root of the width.
 */
export const gemma: LanguageModel = {
  modelTypes: ['gemma'],
  template: 'gemma',

  describe: (config) => decoderShape(parseGemma(config)),

  embed: (module, ids, config) => embedTokens(module, ids, parseGemma(config)),

  decode(module, embeddings, config, attend) {
    const text = parseGemma(config)
    const norm: GatedLayerStyle['norm'] = (here, x) => shiftedRmsNorm(here, x, text.rms_norm_eps)
    const style = { config: text, norm, biases: { projections: text.attention_bias, output: text.attention_bias } }
    // Here, not in `embed`: the visual tokens are scaled, too.
    const scaled = multiply(module.graph, embeddings, scalarLike(module.graph, embeddings, Math.sqrt(text.hidden_size)))
    const hidden = stackLayers(module, scaled, text, attend, (layer, x, attendHere) => gatedLayer(layer, x, style, attendHere))
    return norm(module.child('model.norm'), hidden)
  },

  head: (module, hidden, config) => headOrEmbedding(module, hidden, parseGemma(config)),
}
