import { z } from 'zod'

import { type CheckpointConfig, parseConfig } from '../../checkpoint/config.js'
import { rmsNorm } from '../../graph/blocks/norm.js'
import type { LanguageModel } from '../part.js'
import { decoderShape, embedTokens, headOrEmbedding, stackLayers } from './decoder-only.js'
import { eosSchema } from './eos.js'
import { type GatedLayerStyle, gatedLayer } from './gated-layer.js'
import { ropeScalingSchema } from './rope-scaling.js'

const positive = z.int().min(1)

/**
 * Defaults of transformers 4.40.1's `LlamaConfig`: a key equal to its default is not saved. `pretraining_tp` cuts the
 * reference's products into slices whose sums are the same, and isn't read.
 */
export const llamaConfigSchema = z.object({
  vocab_size: positive.default(32000),
  hidden_size: positive.default(4096),
  intermediate_size: positive.default(11008),
  num_hidden_layers: positive.default(32),
  num_attention_heads: positive.default(32),
  num_key_value_heads: positive.nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: positive.default(2048),
  rms_norm_eps: z.number().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().default(10000),
  rope_scaling: ropeScalingSchema,
  attention_bias: z.boolean().default(false),
  eos_token_id: eosSchema.default(2),
})

const parseLlama = ({ text_config }: CheckpointConfig): z.infer<typeof llamaConfigSchema> =>
  parseConfig(llamaConfigSchema, text_config, 'text_config')

/**
 * Llama and TinyLlama (Touvron et al. 2023, Zhang et al. 2024), as transformers 4.40.1's `LlamaForCausalLM`: RMSNorm,
 * grouped key-value heads, a gated MLP; biases in all of attention or nowhere.
 */
export const llama: LanguageModel = {
  modelTypes: ['llama'],
  template: 'llama',

  describe: (config) => decoderShape(parseLlama(config)),

  embed: (module, ids, config) => embedTokens(module, ids, parseLlama(config)),

  decode(module, embeddings, config, attend) {
    const text = parseLlama(config)
    const norm: GatedLayerStyle['norm'] = (here, x) => rmsNorm(here, x, text.rms_norm_eps)
    const style = { config: text, norm, biases: { projections: text.attention_bias, output: text.attention_bias } }
    const hidden = stackLayers(module, embeddings, text, attend, (layer, x, attendHere) => gatedLayer(layer, x, style, attendHere))
    return norm(module.child('model.norm'), hidden)
  },

  head: (module, hidden, config) => headOrEmbedding(module, hidden, parseLlama(config)),
}
