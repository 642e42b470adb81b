/** Tensors of language models by their names in transformers 4.40.1: written down from its classes, not from our parts. */
import { type TensorShape, below, dense, norm, stack } from './shapes.js'

/** Sizes of most language models, as `text_config` names them. */
export interface TextSizes {
  readonly vocab_size: number
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
  readonly head_dim?: number
  readonly tie_word_embeddings?: boolean
}

const plain = { bias: false }

interface GatedStyle {
  /** Whether queries, keys and values have biases. */
  readonly hasBiases: boolean
  /** Whether norms have. */
  readonly hasNormBiases: boolean
}

/** Qwen2, Llama, Gemma, StableLM: attention, then a gated MLP. */
const gated = ({ hasBiases, hasNormBiases }: GatedStyle) => (sizes: TextSizes): readonly TensorShape[] => {
  const { hidden_size: width, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: shared } = sizes
  const headSize = sizes.head_dim ?? width / heads
  const normOptions = { bias: hasNormBiases }
  return [
    ['model.embed_tokens.weight', [sizes.vocab_size, width]],
    ...stack('model.layers', sizes.num_hidden_layers, () => [
      ...dense('self_attn.q_proj', [heads * headSize, width], { bias: hasBiases }),
      ...dense('self_attn.k_proj', [shared * headSize, width], { bias: hasBiases }),
      ...dense('self_attn.v_proj', [shared * headSize, width], { bias: hasBiases }),
      ...dense('self_attn.o_proj', [width, heads * headSize], plain),
      ...dense('mlp.gate_proj', [inner, width], plain),
      ...dense('mlp.up_proj', [inner, width], plain),
      ...dense('mlp.down_proj', [width, inner], plain),
      ...norm('input_layernorm', width, normOptions),
      ...norm('post_attention_layernorm', width, normOptions),
    ]),
    ...norm('model.norm', width, normOptions),
    ...(sizes.tie_word_embeddings === true ? [] : dense('lm_head', [sizes.vocab_size, width], plain)),
  ]
}

/** `Qwen2ForCausalLM`. */
export const qwen2Tensors = gated({ hasBiases: true, hasNormBiases: false })

/** `LlamaForCausalLM`, `GemmaForCausalLM`. */
export const llamaTensors = gated({ hasBiases: false, hasNormBiases: false })

/** `StableLmForCausalLM` with `use_qkv_bias`. */
export const stablelmTensors = gated({ hasBiases: true, hasNormBiases: true })

/** `PhiForCausalLM`: biases everywhere. */
export function phiTensors({ vocab_size, hidden_size: width, intermediate_size: inner, num_hidden_layers }: TextSizes): readonly TensorShape[] {
  return [
    ['model.embed_tokens.weight', [vocab_size, width]],
    ...stack('model.layers', num_hidden_layers, () => [
      ...['q_proj', 'k_proj', 'v_proj', 'dense'].flatMap((name) => dense(`self_attn.${name}`, [width, width])),
      ...dense('mlp.fc1', [inner, width]),
      ...dense('mlp.fc2', [width, inner]),
      ...norm('input_layernorm', width),
    ]),
    ...norm('model.final_layernorm', width),
    ...dense('lm_head', [vocab_size, width]),
  ]
}

/** Sizes of an OpenELM, layer by layer, as `text_config` names them. */
export interface OpenelmSizes {
  readonly vocab_size: number
  readonly model_dim: number
  readonly head_dim: number
  readonly num_query_heads: readonly number[]
  readonly num_kv_heads: readonly number[]
  readonly ffn_multipliers: readonly number[]
  readonly ffn_dim_divisor: number
}

/** `OpenELMForCausalLM` of TinyLLaVA_Factory, tied. */
export function openelmTensors(sizes: OpenelmSizes): readonly TensorShape[] {
  const { model_dim: width, head_dim: headSize, ffn_dim_divisor: divisor } = sizes
  return below('transformer', [
    ['token_embeddings.weight', [sizes.vocab_size, width]],
    ...stack('layers', sizes.num_query_heads.length, (index) => {
      const [heads = 0, shared = 0] = [sizes.num_query_heads[index], sizes.num_kv_heads[index]]
      const inner = Math.round(((sizes.ffn_multipliers[index] ?? 0) * width) / divisor) * divisor
      return [
        ...dense('attn.qkv_proj', [(heads + 2 * shared) * headSize, width], plain),
        ...norm('attn.q_norm', headSize, plain),
        ...norm('attn.k_norm', headSize, plain),
        ...dense('attn.out_proj', [width, heads * headSize], plain),
        ...dense('ffn.proj_1', [2 * inner, width], plain),
        ...dense('ffn.proj_2', [width, inner], plain),
        ...norm('ffn_norm', width, plain),
        ...norm('attn_norm', width, plain),
      ]
    }),
    ...norm('norm', width, plain),
  ])
}
