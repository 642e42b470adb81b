/**
 * Configurations of published base models, for checkpoints that name a base model instead of saying its sizes.
 *
 * Each holds the fields of the model's own `config.json` that its part reads.
 */

/** Language models by their repository. */
export const BASE_LANGUAGE_MODELS = {
  'TinyLlama/TinyLlama-1.1B-Chat-v1.0': {
    model_type: 'llama',
    vocab_size: 32000,
    hidden_size: 2048,
    intermediate_size: 5632,
    num_hidden_layers: 22,
    num_attention_heads: 32,
    num_key_value_heads: 4,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: false,
    eos_token_id: 2,
  },
  'stabilityai/stablelm-2-zephyr-1_6b': {
    model_type: 'stablelm',
    vocab_size: 100352,
    hidden_size: 2048,
    intermediate_size: 5632,
    num_hidden_layers: 24,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    max_position_embeddings: 4096,
    layer_norm_eps: 1e-5,
    rope_theta: 10000,
    partial_rotary_factor: 0.25,
    use_qkv_bias: true,
    tie_word_embeddings: false,
    eos_token_id: 100257,
  },
  'microsoft/phi-2': {
    model_type: 'phi',
    vocab_size: 51200,
    hidden_size: 2560,
    intermediate_size: 10240,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    max_position_embeddings: 2048,
    layer_norm_eps: 1e-5,
    rope_theta: 10000,
    partial_rotary_factor: 0.4,
    tie_word_embeddings: false,
    eos_token_id: 50256,
  },
} as const

/** CLIP ViT-L/14 at 336 pixels; also the tower of a `LlavaConfig` or `TinyLlavaConfig` that names none. */
export const CLIP_LARGE_336 = {
  model_type: 'clip_vision_model',
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  patch_size: 14,
  image_size: 336,
  projection_dim: 768,
} as const

/** Vision towers by the name of their repository. */
export const BASE_TOWERS: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  'siglip-so400m-patch14-384': {
    model_type: 'siglip_vision_model',
    hidden_size: 1152,
    intermediate_size: 4304,
    num_hidden_layers: 27,
    num_attention_heads: 16,
    patch_size: 14,
    image_size: 384,
  },
  'clip-vit-large-patch14-336': CLIP_LARGE_336,
  'clip-vit-large-patch14': { ...CLIP_LARGE_336, image_size: 224 },
}
