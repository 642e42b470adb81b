import { z } from 'zod'

import { type CheckpointConfig, parseConfig, unsupported } from '../../checkpoint/config.js'
import { attention } from '../../graph/blocks/attention.js'
import { linear } from '../../graph/blocks/linear.js'
import { layerNorm } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add, reshape, transpose } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import type { VisionTower } from '../part.js'
import { layersUpTo } from './feature-layer.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `SiglipVisionConfig`: a key equal to its default is not saved. */
const siglipConfigSchema = z.object({
  hidden_size: positive.default(768),
  intermediate_size: positive.default(3072),
  num_hidden_layers: positive.default(12),
  num_attention_heads: positive.default(12),
  num_channels: z.literal(3).default(3),
  image_size: positive.default(224),
  patch_size: positive.default(16),
  hidden_act: z.string().default('gelu_pytorch_tanh'),
  layer_norm_eps: z.number().default(1e-6),
})

type SiglipConfig = z.infer<typeof siglipConfigSchema>

const parseSiglip = ({ vision_config }: CheckpointConfig): SiglipConfig => {
  const config = parseConfig(siglipConfigSchema, vision_config, 'vision_config')
  if (config.hidden_size % config.num_attention_heads === 0) return config
  throw unsupported(`A vision tower of width ${config.hidden_size} with ${config.num_attention_heads} heads`)
}

// A size that the patches don't divide is cut off at the right and the bottom, as `padding="valid"` does.
const patchesAcross = ({ image_size, patch_size }: SiglipConfig): number => Math.floor(image_size / patch_size)

/**
 * SigLIP (Zhai et al. 2023), as transformers 4.40.1's `SiglipVisionModel`: no class token, learned
 * positions, pre-norm layers with biases everywhere.
 */
export const siglip: VisionTower = {
  modelTypes: ['siglip_vision_model', 'siglip'],

  describe(config) {
    const siglipConfig = parseSiglip(config)
    return {
      // Constants of SiglipImageProcessor.
      pixels: { imageSize: siglipConfig.image_size, rescaleFactor: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
      tokens: patchesAcross(siglipConfig) ** 2,
      width: siglipConfig.hidden_size,
    }
  },

  build(module, pixels, config) {
    const siglipConfig = parseSiglip(config)
    const { hidden_size: width, num_hidden_layers: layers } = siglipConfig
    const tokens = patchesAcross(siglipConfig) ** 2
    const vision = module.child('vision_model')
    const used = layersUpTo(config.vision_feature_layer, layers)
    // Never looked at: the final norm, the pooling head and the layers past the feature layer.
    vision.ignore(/^(post_layernorm|head)\.|^embeddings\.position_ids$/)
    for (let index = used; index < layers; index += 1) vision.child(`encoder.layers.${index}`).ignore(/^/)

    let hidden = embedPatches(vision.child('embeddings'), pixels, siglipConfig, tokens)
    for (let index = 0; index < used; index += 1) {
      hidden = encoderLayer(vision.child(`encoder.layers.${index}`), hidden, siglipConfig, tokens)
    }
    return reshape(module.graph, hidden, [-1, tokens, width], ['frames', tokens, width])
  },
}

/** Cuts the picture into patches, embeds each and adds its learned position: `[frames * tokens, width]`. */
function embedPatches(module: Module, pixels: Value, config: SiglipConfig, tokens: number): Value {
  const { graph } = module
  const { hidden_size: width, patch_size: patch } = config
  const convolution = module.child('patch_embedding')
  const patches = convolution.graph.node(
    'Conv',
    [pixels, convolution.parameter('weight', [width, 3, patch, patch]), convolution.parameter('bias', [width])],
    { dataType: pixels.dataType, shape: ['frames', width, patchesAcross(config), patchesAcross(config)] },
    { attributes: { kernel_shape: [patch, patch], strides: [patch, patch] } },
  )
  const sequence = transpose(graph, reshape(graph, patches, [0, width, tokens], ['frames', width, tokens]), [0, 2, 1])
  const placed = add(graph, sequence, module.child('position_embedding').parameter('weight', [tokens, width]))
  return reshape(graph, placed, [-1, width], ['rows', width])
}

/** norm → attention → + → norm → MLP → +, on `[frames * tokens, width]`. */
function encoderLayer(module: Module, hidden: Value, config: SiglipConfig, tokens: number): Value {
  const { graph } = module
  const attended = selfAttention(
    module.child('self_attn'),
    layerNorm(module.child('layer_norm1'), hidden, config.layer_norm_eps),
    config,
    tokens,
  )
  const middle = add(graph, attended, hidden)
  const expanded = linear(
    module.child('mlp.fc1'),
    layerNorm(module.child('layer_norm2'), middle, config.layer_norm_eps),
    config.intermediate_size,
  )
  const activated = activation(config.hidden_act)(module.child('mlp').graph, expanded)
  return add(graph, linear(module.child('mlp.fc2'), activated, config.hidden_size), middle)
}

function selfAttention(module: Module, x: Value, config: SiglipConfig, tokens: number): Value {
  const { graph } = module
  const { hidden_size: width, num_attention_heads: heads } = config
  const project = (name: string): Value =>
    reshape(graph, linear(module.child(name), x, width), [-1, tokens, width], ['frames', tokens, width])
  const inputs = { query: project('q_proj'), key: project('k_proj'), value: project('v_proj'), heads }
  const attended = attention(graph, inputs, module.attention)
  return linear(module.child('out_proj'), reshape(graph, attended, [-1, width], ['rows', width]), width)
}
