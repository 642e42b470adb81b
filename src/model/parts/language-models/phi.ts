import { z } from 'zod'

import { type CheckpointConfig, parseConfig, unsupported } from '../../checkpoint/config.js'
import { linear } from '../../graph/blocks/linear.js'
import { layerNorm } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import type { LanguageModel } from '../part.js'
import { type AttendHere, decoderShape, embedTokens, stackLayers } from './decoder-only.js'
import { eosSchema } from './eos.js'
import { projectHeads } from './gated-layer.js'
import { ropeScalingSchema } from './rope-scaling.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `PhiConfig`: a key equal to its default is not saved. */
export const phiConfigSchema = z.object({
  vocab_size: positive.default(51200),
  hidden_size: positive.default(2048),
  intermediate_size: positive.default(8192),
  num_hidden_layers: positive.default(24),
  num_attention_heads: positive.default(32),
  num_key_value_heads: positive.nullish(),
  hidden_act: z.string().default('gelu_new'),
  max_position_embeddings: positive.default(2048),
  layer_norm_eps: z.number().default(1e-5),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().default(10000),
  rope_scaling: ropeScalingSchema,
  partial_rotary_factor: z.number().default(0.5),
  qk_layernorm: z.boolean().default(false),
  eos_token_id: eosSchema.default(2),
})

type PhiConfig = z.infer<typeof phiConfigSchema>

function parsePhi({ text_config }: CheckpointConfig): PhiConfig {
  const config = parseConfig(phiConfigSchema, text_config, 'text_config')
  if (config.qk_layernorm) throw unsupported('qk_layernorm')
  if (config.tie_word_embeddings) throw unsupported('tie_word_embeddings of a Phi model')
  return config
}

/**
 * Phi-1.5 and Phi-2 (Li et al. 2023), as transformers 4.40.1's `PhiForCausalLM`: LayerNorm, attention
 * and MLP side by side, rotation of a part of each head, biases everywhere, the head's too.
 */
export const phi: LanguageModel = {
  modelTypes: ['phi'],
  template: 'phi',

  describe: (config) => decoderShape(parsePhi(config)),

  embed: (module, ids, config) => embedTokens(module, ids, parsePhi(config)),

  decode(module, embeddings, config, attend) {
    const text = parsePhi(config)
    const hidden = stackLayers(module, embeddings, text, attend, (layer, x, attendHere) => decoderLayer(layer, x, text, attendHere))
    return layerNorm(module.child('model.final_layernorm'), hidden, text.layer_norm_eps)
  },

  head(module, hidden, config) {
    return linear(module.child('lm_head'), hidden, parsePhi(config).vocab_size)
  },
}

/** norm → attention and MLP side by side → + → +, on `[rows, width]`. */
function decoderLayer(module: Module, hidden: Value, text: PhiConfig, attend: AttendHere): Value {
  const { graph } = module
  const self = module.child('self_attn')
  const normed = layerNorm(module.child('input_layernorm'), hidden, text.layer_norm_eps)
  const output = linear(self.child('dense'), attend(self, projectHeads(self, normed, text)), text.hidden_size)
  const expanded = linear(module.child('mlp.fc1'), normed, text.intermediate_size)
  const activated = activation(text.hidden_act)(module.child('mlp').graph, expanded)
  return add(graph, add(graph, output, linear(module.child('mlp.fc2'), activated, text.hidden_size)), hidden)
}
