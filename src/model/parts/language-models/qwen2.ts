import { z } from 'zod'

import { type CheckpointConfig, parseConfig, unsupported } from '../../checkpoint/config.js'
import { linear } from '../../graph/blocks/linear.js'
import { rmsNorm } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add, multiply } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import type { LanguageModel } from '../part.js'
import { type DecoderLayer, decoderShape, embedTokens, stackLayers } from './decoder-only.js'
import { eosSchema } from './eos.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `Qwen2Config`: a key equal to its default is not saved. */
const qwen2ConfigSchema = z.object({
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

  describe: (config) => decoderShape(parseQwen2(config), 1),

  embed: (module, ids, config) => embedTokens(module, ids, parseQwen2(config)),

  decode(module, embeddings, config, attend) {
    const text = parseQwen2(config)
    const hidden = stackLayers(module, embeddings, text, attend, (layer, x, attendHere) => decoderLayer(layer, x, text, attendHere))
    return rmsNorm(module.child('model.norm'), hidden, text.rms_norm_eps)
  },

  head(module, hidden, config) {
    const text = parseQwen2(config)
    if (!text.tie_word_embeddings) return linear(module.child('lm_head'), hidden, text.vocab_size, { bias: false })
    module.ignore(/^lm_head\.weight$/)
    return linear(module.child('model.embed_tokens'), hidden, text.vocab_size, { bias: false })
  },
}

/** norm → attention → + → norm → gated MLP → +, on `[rows, width]`. */
function decoderLayer(module: Module, hidden: Value, text: Qwen2Config, attend: Parameters<DecoderLayer>[2]): Value {
  const { graph } = module
  const self = module.child('self_attn')
  const normed = rmsNorm(module.child('input_layernorm'), hidden, text.rms_norm_eps)
  const { keyValueHeads, headSize } = decoderShape(text, 1)
  const shared = keyValueHeads * headSize
  const attended = attend(self, {
    query: linear(self.child('q_proj'), normed, text.hidden_size),
    key: linear(self.child('k_proj'), normed, shared),
    value: linear(self.child('v_proj'), normed, shared),
  })
  const middle = add(graph, linear(self.child('o_proj'), attended, text.hidden_size, { bias: false }), hidden)
  const second = rmsNorm(module.child('post_attention_layernorm'), middle, text.rms_norm_eps)
  return add(graph, gatedMlp(module.child('mlp'), second, text), middle)
}

function gatedMlp(module: Module, x: Value, text: Qwen2Config): Value {
  const gate = linear(module.child('gate_proj'), x, text.intermediate_size, { bias: false })
  const up = linear(module.child('up_proj'), x, text.intermediate_size, { bias: false })
  const gated = multiply(module.graph, activation(text.hidden_act)(module.graph, gate), up)
  return linear(module.child('down_proj'), gated, text.hidden_size, { bias: false })
}
