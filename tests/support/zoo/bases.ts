/**
 * The base models that published checkpoints are made of, each as its repository publishes it and as a small stand-in of the
 * same form: the fields of the configuration that decide names and shapes, and the tensors that follow from them.
 */
import { referencePath } from '../golden.js'
import { type OpenelmSizes, type TextSizes, llamaTensors, openelmTensors, phiTensors, qwen2Tensors, stablelmTensors } from './language-models.js'
import type { TensorShape } from './shapes.js'
import { type TowerSizes, clipTensors, siglipTensors } from './towers.js'

/** A base model in one size. */
export interface Variant {
  readonly config: Readonly<Record<string, unknown>>
  /** Width of its tokens. */
  readonly width: number
  readonly tensors: readonly TensorShape[]
}

/** A base model. */
export interface BaseModel {
  /** Its repository. */
  readonly path: string
  readonly full: Variant
  readonly small: Variant
}

/** A base language model, with the folder of a small tokenizer of its kind. */
export interface BaseLanguageModel extends BaseModel {
  readonly tokenizer: string
}

/** What a configuration says beside its sizes. */
type Fields = Readonly<Record<string, unknown>>

const SMALL_TOWER: TowerSizes = {
  hidden_size: 32, intermediate_size: 48, num_hidden_layers: 3, num_attention_heads: 2, image_size: 42, patch_size: 14,
}

function tower(path: string, modelType: string, sizes: TowerSizes, tensorsOf: (sizes: TowerSizes) => readonly TensorShape[]): BaseModel {
  const variant = (of: TowerSizes): Variant => ({ config: { model_type: modelType, ...of }, width: of.hidden_size, tensors: tensorsOf(of) })
  return { path, full: variant(sizes), small: variant(SMALL_TOWER) }
}

export const SO400M = tower('google/siglip-so400m-patch14-384', 'siglip_vision_model', {
  hidden_size: 1152, intermediate_size: 4304, num_hidden_layers: 27, num_attention_heads: 16, image_size: 384, patch_size: 14,
}, siglipTensors)

export const CLIP_LARGE = tower('openai/clip-vit-large-patch14-336', 'clip_vision_model', {
  hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16, image_size: 336, patch_size: 14,
}, clipTensors)

/** A base language model to be described. */
interface Language {
  readonly path: string
  readonly sizes: TextSizes
  readonly fields: Fields & { readonly model_type: string }
  readonly tensorsOf: (sizes: TextSizes) => readonly TensorShape[]
  /** Where its small stand-in differs from `SMALL_TEXT`. */
  readonly small: Partial<TextSizes> & { readonly vocab_size: number; readonly eos_token_id: number }
  /** Below `tests/reference`. */
  readonly tokenizer: string
}

const SMALL_TEXT = { hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 }

function language({ path, sizes, fields, tensorsOf, small, tokenizer }: Language): BaseLanguageModel {
  const variant = (of: TextSizes): Variant => ({ config: { ...fields, ...of }, width: of.hidden_size, tensors: tensorsOf(of) })
  const smallSizes = { ...sizes, ...SMALL_TEXT, ...small }
  return { path, full: variant(sizes), small: variant(smallSizes), tokenizer: referencePath(tokenizer) }
}

const QWEN2 = { model_type: 'qwen2', rope_theta: 1e6, rms_norm_eps: 1e-6, eos_token_id: 151643 }
const QWEN2_SMALL = { small: { vocab_size: 640, eos_token_id: 600 }, tokenizer: 'cases/qwen2-group-16/checkpoint', tensorsOf: qwen2Tensors }

export const QWEN2_HALF_B = language({
  ...QWEN2_SMALL,
  path: 'Qwen/Qwen2-0.5B',
  sizes: {
    vocab_size: 151936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2,
    tie_word_embeddings: true,
  },
  fields: { ...QWEN2, max_position_embeddings: 131072 },
})

export const QWEN25_3B = language({
  ...QWEN2_SMALL,
  path: 'Qwen/Qwen2.5-3B',
  sizes: {
    vocab_size: 151936, hidden_size: 2048, intermediate_size: 11008, num_hidden_layers: 36, num_attention_heads: 16, num_key_value_heads: 2,
    tie_word_embeddings: true,
  },
  fields: { ...QWEN2, max_position_embeddings: 32768 },
})

export const PHI_2 = language({
  path: 'microsoft/phi-2',
  sizes: {
    vocab_size: 51200, hidden_size: 2560, intermediate_size: 10240, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 32,
  },
  fields: { model_type: 'phi', partial_rotary_factor: 0.4, max_position_embeddings: 2048, eos_token_id: 50256 },
  tensorsOf: phiTensors,
  small: { vocab_size: 672, eos_token_id: 600, num_attention_heads: 2, num_key_value_heads: 2 },
  tokenizer: 'cases/phi-naive/checkpoint',
})

export const GEMMA_2B = language({
  path: 'google/gemma-2b-it',
  sizes: {
    vocab_size: 256000, hidden_size: 2048, intermediate_size: 16384, num_hidden_layers: 18, num_attention_heads: 8, num_key_value_heads: 1,
    head_dim: 256, tie_word_embeddings: true,
  },
  fields: { model_type: 'gemma', rms_norm_eps: 1e-6, max_position_embeddings: 8192, eos_token_id: 1 },
  tensorsOf: llamaTensors,
  small: { vocab_size: 704, eos_token_id: 1, num_key_value_heads: 1, head_dim: 24 },
  tokenizer: 'tokenizers/gemma',
})

export const TINYLLAMA = language({
  path: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
  sizes: {
    vocab_size: 32000, hidden_size: 2048, intermediate_size: 5632, num_hidden_layers: 22, num_attention_heads: 32, num_key_value_heads: 4,
  },
  fields: { model_type: 'llama', rms_norm_eps: 1e-5, max_position_embeddings: 2048, eos_token_id: 2 },
  tensorsOf: llamaTensors,
  small: { vocab_size: 672, eos_token_id: 2 },
  tokenizer: 'tokenizers/llama',
})

export const STABLELM_2 = language({
  path: 'stabilityai/stablelm-2-zephyr-1_6b',
  sizes: {
    vocab_size: 100352, hidden_size: 2048, intermediate_size: 5632, num_hidden_layers: 24, num_attention_heads: 32, num_key_value_heads: 32,
  },
  fields: { model_type: 'stablelm', partial_rotary_factor: 0.25, use_qkv_bias: true, max_position_embeddings: 4096, eos_token_id: 100257 },
  tensorsOf: stablelmTensors,
  // The class fixes the ids of its special tokens, so that the vocabulary can't be small.
  small: { vocab_size: 100352, eos_token_id: 100257, hidden_size: 16, num_attention_heads: 2, num_key_value_heads: 2 },
  tokenizer: 'tokenizers/arcade100k',
})

const OPENELM_FIELDS = {
  model_type: 'openelm', num_gqa_groups: 4, qkv_multipliers: [0.5, 1], ffn_with_glu: true, normalize_qk_projections: true,
  share_input_output_layers: true, max_context_length: 2048, activation_fn_name: 'swish', eos_token_id: 2,
}

function openelm(sizes: OpenelmSizes): Variant {
  const config = { ...OPENELM_FIELDS, ...sizes, num_transformer_layers: sizes.num_query_heads.length }
  return { config, width: sizes.model_dim, tensors: openelmTensors(sizes) }
}

export const OPENELM_450M: BaseLanguageModel = {
  path: 'apple/OpenELM-450M-Instruct',
  full: openelm({
    vocab_size: 32000, model_dim: 1536, head_dim: 64, ffn_dim_divisor: 256,
    num_query_heads: [12, 12, 12, 16, 16, 16, 16, 16, 16, 16, 20, 20, 20, 20, 20, 20, 24, 24, 24, 24],
    num_kv_heads: [3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6],
    ffn_multipliers: [0.5, 0.68, 0.87, 1.05, 1.24, 1.42, 1.61, 1.79, 1.97, 2.16, 2.34, 2.53, 2.71, 2.89, 3.08, 3.26, 3.45, 3.63, 3.82, 4],
  }),
  small: openelm({
    vocab_size: 672, model_dim: 128, head_dim: 8, ffn_dim_divisor: 16,
    num_query_heads: [8, 12, 16], num_kv_heads: [2, 3, 4], ffn_multipliers: [0.5, 2.25, 4],
  }),
  tokenizer: referencePath('tokenizers/llama'),
}
