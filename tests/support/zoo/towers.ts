/** Tensors of vision towers by their names in transformers 4.40.1: written down from its classes, not from our parts. */
import { type TensorShape, below, dense, norm, stack } from './shapes.js'

/** Sizes of a tower, as `vision_config` names them. */
export interface TowerSizes {
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly image_size: number
  readonly patch_size: number
}

/** `SiglipVisionModel`: with the norm and the pooling head that features never see. */
export function siglipTensors(sizes: TowerSizes): readonly TensorShape[] {
  const { hidden_size: width, intermediate_size: inner, patch_size: patch } = sizes
  return below('vision_model', [
    ['embeddings.patch_embedding.weight', [width, 3, patch, patch]],
    ['embeddings.patch_embedding.bias', [width]],
    ['embeddings.position_embedding.weight', [patches(sizes), width]],
    ...encoder(sizes),
    ...norm('post_layernorm', width),
    ['head.probe', [1, 1, width]],
    ['head.attention.in_proj_weight', [3 * width, width]],
    ['head.attention.in_proj_bias', [3 * width]],
    ...dense('head.attention.out_proj', [width, width]),
    ...norm('head.layernorm', width),
    ...dense('head.mlp.fc1', [inner, width]),
    ...dense('head.mlp.fc2', [width, inner]),
  ])
}

/** `CLIPVisionModel`: `pre_layrnorm` is its own spelling. */
export function clipTensors(sizes: TowerSizes): readonly TensorShape[] {
  const { hidden_size: width, patch_size: patch } = sizes
  return below('vision_model', [
    ['embeddings.class_embedding', [width]],
    ['embeddings.patch_embedding.weight', [width, 3, patch, patch]],
    ['embeddings.position_embedding.weight', [patches(sizes) + 1, width]],
    ...norm('pre_layrnorm', width),
    ...encoder(sizes),
    ...norm('post_layernorm', width),
  ])
}

const patches = ({ image_size: image, patch_size: patch }: TowerSizes): number => Math.floor(image / patch) ** 2

function encoder({ hidden_size: width, intermediate_size: inner, num_hidden_layers: layers }: TowerSizes): readonly TensorShape[] {
  return stack('encoder.layers', layers, () => [
    ...['k_proj', 'v_proj', 'q_proj', 'out_proj'].flatMap((name) => dense(`self_attn.${name}`, [width, width])),
    ...norm('layer_norm1', width),
    ...dense('mlp.fc1', [inner, width]),
    ...dense('mlp.fc2', [width, inner]),
    ...norm('layer_norm2', width),
  ])
}
