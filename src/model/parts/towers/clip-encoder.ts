import { linear } from '../../graph/blocks/linear.js'
import { layerNorm } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import { layersUpTo } from './feature-layer.js'
import { type TokenGeometry, visionAttention } from './vision-attention.js'

/** Fields of `vision_config` that CLIP's and SigLIP's encoders share. */
export interface ClipEncoderConfig {
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly hidden_act: string
  readonly layer_norm_eps: number
}

/** Which tokens go in, and which layer's output comes out. */
export interface EncoderPass {
  /** Of one picture. */
  readonly tokens: number
  /** `vision_feature_layer`. */
  readonly featureLayer: number
}

/**
 * The encoder of CLIP and SigLIP (transformers 4.40.1's `CLIPEncoder`, `SiglipEncoder`): pre-norm layers with biases
 * everywhere, up to the feature layer. Layers past it are known and not needed.
 *
 * @param module At the class that holds `encoder`.
 * @param hidden `[pictures * tokens, width]`, as the result.
 */
export function clipEncoder(module: Module, hidden: Value, config: ClipEncoderConfig, { tokens, featureLayer }: EncoderPass): Value {
  const layers = Array.from({ length: config.num_hidden_layers }, (_, index) => module.child(`encoder.layers.${index}`))
  const used = layersUpTo(featureLayer, layers.length)
  for (const layer of layers.slice(used)) layer.ignore(/^/)
  const geometry = { width: config.hidden_size, heads: config.num_attention_heads, tokens }
  return layers.slice(0, used).reduce((x, layer) => encoderLayer(layer, x, config, geometry), hidden)
}

/** norm → attention → + → norm → MLP → +. */
function encoderLayer(module: Module, hidden: Value, config: ClipEncoderConfig, geometry: TokenGeometry): Value {
  const { graph } = module
  const { layer_norm_eps: epsilon, intermediate_size: inner, hidden_act: act } = config
  const attended = selfAttention(module.child('self_attn'), layerNorm(module.child('layer_norm1'), hidden, epsilon), geometry)
  const middle = add(graph, attended, hidden)
  const expanded = linear(module.child('mlp.fc1'), layerNorm(module.child('layer_norm2'), middle, epsilon), inner)
  const activated = activation(act)(module.child('mlp').graph, expanded)
  return add(graph, linear(module.child('mlp.fc2'), activated, geometry.width), middle)
}

function selfAttention(module: Module, x: Value, geometry: TokenGeometry): Value {
  const modules = {
    query: module.child('q_proj'), key: module.child('k_proj'), value: module.child('v_proj'), out: module.child('out_proj'),
  }
  return visionAttention(module, x, modules, geometry)
}
