import { z } from 'zod'

import { type CheckpointConfig, parseConfig } from '../../checkpoint/config.js'
import { linear } from '../../graph/blocks/linear.js'
import { layerNorm, layerNormHeads } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import type { LanguageModel } from '../part.js'
import { type AttendHere, type Projections, decoderShape, embedTokens, headOrEmbedding, headsOf, stackLayers } from './decoder-only.js'
import { eosSchema } from './eos.js'
import { type GatedLayerStyle, gatedLayer, gatedMlp, projectHeads } from './gated-layer.js'
import { ropeScalingSchema } from './rope-scaling.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `StableLmConfig`: a key equal to its default is not saved. */
export const stablelmConfigSchema = z.object({
  vocab_size: positive.default(50304),
  hidden_size: positive.default(2560),
  intermediate_size: positive.default(6912),
  num_hidden_layers: positive.default(32),
  num_attention_heads: positive.default(32),
  num_key_value_heads: positive.default(32),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: positive.default(4096),
  layer_norm_eps: z.number().default(1e-5),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().default(10000),
  rope_scaling: ropeScalingSchema,
  partial_rotary_factor: z.number().default(0.25),
  use_qkv_bias: z.boolean().default(false),
  qk_layernorm: z.boolean().default(false),
  use_parallel_residual: z.boolean().default(false),
  eos_token_id: eosSchema.default(0),
})

type StablelmConfig = z.infer<typeof stablelmConfigSchema>

const parseStablelm = ({ text_config }: CheckpointConfig): StablelmConfig => parseConfig(stablelmConfigSchema, text_config, 'text_config')

/**
 * StableLM and StableLM-2 (Bellagente et al. 2024), as transformers 4.40.1's `StableLmForCausalLM`: LayerNorm, rotation of
 * a part of each head, a gated MLP; where the configuration says so a norm of each head, and attention and MLP side by side.
 */
export const stablelm: LanguageModel = {
  modelTypes: ['stablelm'],
  template: 'phi',

  describe: (config) => decoderShape(parseStablelm(config)),

  embed: (module, ids, config) => embedTokens(module, ids, parseStablelm(config)),

  decode(module, embeddings, config, attend) {
    const text = parseStablelm(config)
    const style = styleOf(text)
    const build = text.use_parallel_residual ? parallelLayer : gatedLayer
    const hidden = stackLayers(module, embeddings, text, attend, (layer, x, attendHere) =>
      build(layer, x, style, text.qk_layernorm ? normFirst(attendHere, text) : attendHere))
    return style.norm(module.child('model.norm'), hidden)
  },

  head: (module, hidden, config) => headOrEmbedding(module, hidden, parseStablelm(config)),
}

const styleOf = (text: StablelmConfig): GatedLayerStyle => ({
  config: text,
  norm: (module, x) => layerNorm(module, x, text.layer_norm_eps),
  biases: { projections: text.use_qkv_bias, output: false },
})

/** norm → attention and MLP side by side → + → +, on `[rows, width]`. */
function parallelLayer(module: Module, hidden: Value, { config, norm, biases }: GatedLayerStyle, attend: AttendHere): Value {
  const { graph } = module
  const self = module.child('self_attn')
  const normed = norm(module.child('input_layernorm'), hidden)
  const projections = projectHeads(self, normed, config, { bias: biases.projections })
  const output = linear(self.child('o_proj'), attend(self, projections), config.hidden_size, { bias: biases.output })
  return add(graph, add(graph, hidden, output), gatedMlp(module.child('mlp'), normed, config))
}

/** Attention whose queries and keys are normalised first, each head by weights of its own. */
function normFirst(attend: AttendHere, text: StablelmConfig): AttendHere {
  const { heads, keyValueHeads } = headsOf(text)
  return (self, { query, key, value }: Projections) => attend(self, {
    query: layerNormHeads(self.child('q_layernorm'), query, heads, text.layer_norm_eps),
    key: layerNormHeads(self.child('k_layernorm'), key, keyValueHeads, text.layer_norm_eps),
    value,
  })
}
