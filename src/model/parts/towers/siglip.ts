import { z } from 'zod'

import { type CheckpointConfig, parseConfig } from '../../checkpoint/config.js'
import type { Module } from '../../graph/module.js'
import { add, reshape } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import type { VisionTower } from '../part.js'
import { clipEncoder } from './clip-encoder.js'
import { expectWholeHeads } from './heads.js'
import { embedPatches, patchesAcross } from './patches.js'
import { fixedPixelRules } from './pixel-rules.js'

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

const parseSiglip = ({ vision_config }: CheckpointConfig): SiglipConfig =>
  expectWholeHeads(parseConfig(siglipConfigSchema, vision_config, 'vision_config'))

const tokensOf = ({ image_size, patch_size }: SiglipConfig): number => patchesAcross(image_size, patch_size) ** 2

/**
 * SigLIP (Zhai et al. 2023), as transformers 4.40.1's `SiglipVisionModel`: no class token, learned
 * positions, pre-norm layers with biases everywhere.
 */
export const siglip: VisionTower = {
  modelTypes: ['siglip_vision_model', 'siglip'],

  describe(config, { imageProcessor }) {
    const siglipConfig = parseSiglip(config)
    // Constants of SiglipImageProcessor.
    const family = { imageSize: siglipConfig.image_size, rescaleFactor: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
    return { pixels: fixedPixelRules(family, imageProcessor), tokens: tokensOf(siglipConfig), width: siglipConfig.hidden_size }
  },

  build(module, pixels, config) {
    const siglipConfig = parseSiglip(config)
    const [tokens, width] = [tokensOf(siglipConfig), siglipConfig.hidden_size]
    const vision = module.child('vision_model')
    // Never looked at: the final norm and the pooling head.
    vision.ignore(/^(post_layernorm|head)\.|^embeddings\.position_ids$/)
    const embedded = embed(vision.child('embeddings'), pixels, siglipConfig)
    const hidden = clipEncoder(vision, embedded, siglipConfig, { tokens, featureLayer: config.vision_feature_layer })
    return reshape(module.graph, hidden, [-1, tokens, width], ['frames', tokens, width])
  },
}

/** Embeds each patch and adds its learned position: `[frames * tokens, width]`. */
function embed(module: Module, pixels: Value, config: SiglipConfig): Value {
  const { hidden_size: width, patch_size: patch } = config
  const patches = embedPatches(module.child('patch_embedding'), pixels, { patch, width, bias: true })
  const positions = module.child('position_embedding').parameter('weight', [tokensOf(config), width])
  return reshape(module.graph, add(module.graph, patches, positions), [-1, width], ['rows', width])
}
