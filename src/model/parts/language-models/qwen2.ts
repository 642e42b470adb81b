import { z } from 'zod'

import { type CheckpointConfig, parseConfig, unsupported } from '../../checkpoint/config.js'
import { rmsNorm } from '../../graph/blocks/norm.js'
import type { LanguageModel } from '../part.js'
import { decoderShape, embedTokens, headOrEmbedding, stackLayers } from './decoder-only.js'
import { eosSchema } from './eos.js'
import { type GatedLayerStyle, gatedLayer } from './gated-layer.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `Qwen2Config`: a key equal to its default is not saved. */
export const qwen2ConfigSchema = z.object({
  vocab_size: positive.default(151936),
  hidden_size: positive.default(4096),
  intermediate_size: positive.default(22016),
  num_hidden_layers: positive.default(32),
  num_attention_heads: positive.default(32),
  num_key_value_heads: positive.nullable().default(32),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: positive.default(32768),
  rms_norm_eps: z.number().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().default(10000),
  rope_scaling: z.unknown().optional(),
  use_sliding_window: z.boolean().default(false),
  eos_token_id: eosSchema,
})

type Qwen2Config = z.infer<typeof qwen2ConfigSchema>

function parseQwen2({ text_config }: CheckpointConfig): Qwen2Config {
  const config = parseConfig(qwen2ConfigSchema, text_config, 'text_config')
  if (config.use_sliding_window) throw unsupported('use_sliding_window')
  if (config.rope_scaling !== undefined && config.rope_scaling !== null) throw unsupported('rope_scaling')
  return config
}

/**
 * Qwen2 and Qwen2.5 (Yang et al. 2024), as transformers 4.40.1's `Qwen2ForCausalLM`: RMSNorm, grouped
 * key-value heads, biases on query, key and value alone, a gated MLP, and where the configuration says
 * so the embedding as head.
 */
export const qwen2: LanguageModel = {
  modelTypes: ['qwen2'],
  template: 'qwen2_base',

  describe: (config) => decoderShape(parseQwen2(config)),

  embed: (module, ids, config) => embedTokens(module, ids, parseQwen2(config)),

  decode(module, embeddings, config, attend) {
    const text = parseQwen2(config)
    const norm: GatedLayerStyle['norm'] = (here, x) => rmsNorm(here, x, text.rms_norm_eps)
    const style = { config: text, norm, biases: { projections: true, output: false } }
    const hidden = stackLayers(module, embeddings, text, attend, (layer, x, attendHere) => gatedLayer(layer, x, style, attendHere))
    return norm(module.child('model.norm'), hidden)
  },

  head: (module, hidden, config) => headOrEmbedding(module, hidden, parseQwen2(config)),
}
