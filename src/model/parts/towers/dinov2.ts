import { z } from 'zod'

import { type CheckpointConfig, parseConfig, unsupported } from '../../checkpoint/config.js'
import type { VisionTower } from '../part.js'
import { type Dinov2Geometry, buildDinov2, dinov2Tokens } from './dinov2-model.js'
import { expectWholeHeads } from './heads.js'
import { pixelRules } from './pixel-rules.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `Dinov2Config`: a key equal to its default is not saved. */
const dinov2ConfigSchema = z.object({
  model_type: z.string().optional(),
  hidden_size: positive.default(768),
  num_hidden_layers: positive.default(12),
  num_attention_heads: positive.default(12),
  mlp_ratio: z.number().positive().default(4),
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().default(1e-6),
  image_size: positive.default(224),
  patch_size: positive.default(16),
  num_channels: z.literal(3).default(3),
  qkv_bias: z.boolean().default(true),
  use_swiglu_ffn: z.boolean().default(false),
  num_register_tokens: z.int().min(0).default(0),
})

type Dinov2Config = z.infer<typeof dinov2ConfigSchema>

const WITH_REGISTERS = 'dinov2_with_registers'

/** Constants of the base models' BitImageProcessor. The positions are interpolated: any size goes. */
const FAMILY = {
  imageSize: 224,
  shortestEdge: 256,
  rescaleFactor: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
}

/**
 * DINOv2 (Oquab et al. 2023), as transformers 4.40.1's `Dinov2Model`. Its pictures have the size that the image
 * processor gives them, not `vision_config.image_size`: the table of positions is interpolated when converting.
 */
export const dinov2: VisionTower = {
  modelTypes: ['dinov2', WITH_REGISTERS],

  describe(config, { imageProcessor }) {
    const geometry = geometryOf(parseDinov2(config))
    const pixels = pixelRules(FAMILY, imageProcessor)
    return { pixels, tokens: dinov2Tokens(geometry, pixels.imageSize), width: geometry.width }
  },

  build: (module, pixels, config) => buildDinov2(module, pixels, geometryOf(parseDinov2(config)), config.vision_feature_layer),
}

function parseDinov2({ vision_config }: CheckpointConfig): Dinov2Config {
  const config = parseConfig(dinov2ConfigSchema, vision_config, 'vision_config')
  // The reference's transformers (4.40.1) has no class for them, so that nothing says what they would do here.
  if (config.model_type === WITH_REGISTERS || config.num_register_tokens > 0) throw unsupported('A DINOv2 with register tokens')
  return expectWholeHeads(config)
}

function geometryOf(config: Dinov2Config): Dinov2Geometry {
  const wide = Math.trunc(config.hidden_size * config.mlp_ratio)
  return {
    width: config.hidden_size,
    heads: config.num_attention_heads,
    layers: config.num_hidden_layers,
    patch: config.patch_size,
    positions: Math.floor(config.image_size / config.patch_size),
    inner: config.use_swiglu_ffn ? swigluWidth(wide) : wide,
    feedForward: config.use_swiglu_ffn ? 'swiglu' : config.hidden_act,
    bias: config.qkv_bias,
    epsilon: config.layer_norm_eps,
  }
}

/** Two thirds, as there are three matrices instead of two, up to a multiple of 8. */
const swigluWidth = (wide: number): number => Math.floor((Math.trunc((wide * 2) / 3) + 7) / 8) * 8
