import type { ConnectorGeometry, Geometry, TextGeometry, TowerGeometry } from './geometry.js'

/** What a tensor is filled with. */
export type Filling =
  /** Small values of both signs: projections. */
  | 'random'
  /** 1: the weights of norms, so that values neither grow nor vanish. */
  | 'ones'
  /** 0: biases. */
  | 'zeros'
  /** `random` in the rows of ordinary tokens, 0 in all others: their logits are 0 and never the highest. */
  | 'embeddings'

/** A tensor of a checkpoint, not filled yet. */
export interface TensorPlan {
  readonly name: string
  readonly shape: readonly number[]
  readonly filling: Filling
}

// Fixed in the original's resamplers.
const RESAMPLER_INNER = 8 * 64

/** Every tensor of a checkpoint in its original layout, by the names the original's classes give them. */
export function planTensors({ tower, connector, text }: Geometry): readonly TensorPlan[] {
  return [
    ...below('vision_tower._vision_tower.vision_model', towerTensors(tower)),
    ...below('connector._connector', connectorTensors(connector, tower.width, text.width)),
    ...below('language_model.model', textTensors(text)),
  ]
}

function towerTensors({ width, inner, layers, image, patch }: TowerGeometry): readonly TensorPlan[] {
  const tokens = Math.floor(image / patch) ** 2
  const layer = [
    ...norm('layer_norm1', width), ...norm('layer_norm2', width),
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((name) => linear(`self_attn.${name}`, width, width)),
    ...linear('mlp.fc1', width, inner), ...linear('mlp.fc2', inner, width),
  ]
  const head = [
    random('probe', [1, 1, width]),
    random('attention.in_proj_weight', [3 * width, width]), zeros('attention.in_proj_bias', [3 * width]),
    ...linear('attention.out_proj', width, width), ...norm('layernorm', width),
    ...linear('mlp.fc1', width, inner), ...linear('mlp.fc2', inner, width),
  ]
  return [
    random('embeddings.patch_embedding.weight', [width, 3, patch, patch]), zeros('embeddings.patch_embedding.bias', [width]),
    random('embeddings.position_embedding.weight', [tokens, width]),
    ...repeat('encoder.layers', layers, layer),
    ...norm('post_layernorm', width), ...below('head', head),
  ]
}

function connectorTensors({ group, queries, layers }: ConnectorGeometry, from: number, width: number): readonly TensorPlan[] {
  const layer = [
    ...norm('0.norm_media', width), ...norm('0.norm_latents', width),
    random('0.to_q.weight', [RESAMPLER_INNER, width]), random('0.to_kv.weight', [2 * RESAMPLER_INNER, width]),
    random('0.to_out.weight', [width, RESAMPLER_INNER]),
    ...norm('1.0', width), random('1.1.weight', [4 * width, width]), random('1.3.weight', [width, 4 * width]),
  ]
  return [
    random('latents', [Math.floor(queries / group), width]),
    ...linear('linear', from, width), ...repeat('layers', layers, layer), ...norm('norm', width),
  ]
}

function textTensors({ width, inner, layers, heads, keyValueHeads, vocabulary }: TextGeometry): readonly TensorPlan[] {
  const shared = (width / heads) * keyValueHeads
  const layer = [
    ones('input_layernorm.weight', [width]), ones('post_attention_layernorm.weight', [width]),
    ...linear('self_attn.q_proj', width, width), ...linear('self_attn.k_proj', width, shared), ...linear('self_attn.v_proj', width, shared),
    random('self_attn.o_proj.weight', [width, width]),
    random('mlp.gate_proj.weight', [inner, width]), random('mlp.up_proj.weight', [inner, width]), random('mlp.down_proj.weight', [width, inner]),
  ]
  return [
    { name: 'embed_tokens.weight', shape: [vocabulary, width], filling: 'embeddings' },
    ...repeat('layers', layers, layer), ones('norm.weight', [width]),
  ]
}

const random = (name: string, shape: readonly number[]): TensorPlan => ({ name, shape, filling: 'random' })
const ones = (name: string, shape: readonly number[]): TensorPlan => ({ name, shape, filling: 'ones' })
const zeros = (name: string, shape: readonly number[]): TensorPlan => ({ name, shape, filling: 'zeros' })
const norm = (name: string, width: number): readonly TensorPlan[] => [ones(`${name}.weight`, [width]), zeros(`${name}.bias`, [width])]

const linear = (name: string, from: number, to: number): readonly TensorPlan[] =>
  [random(`${name}.weight`, [to, from]), zeros(`${name}.bias`, [to])]

const below = (prefix: string, tensors: readonly TensorPlan[]): readonly TensorPlan[] =>
  tensors.map((tensor) => ({ ...tensor, name: `${prefix}.${tensor.name}` }))

const repeat = (prefix: string, times: number, tensors: readonly TensorPlan[]): readonly TensorPlan[] =>
  Array.from({ length: times }, (_, index) => below(`${prefix}.${index}`, tensors)).flat()
