import { z } from 'zod'

import { type CheckpointConfig, parseConfig } from '../../checkpoint/config.js'
import { layerNorm } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add, reshape } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import type { TowerSource, VisionTower, VisionTowerShape } from '../part.js'
import { clipEncoder } from './clip-encoder.js'
import { expectWholeHeads } from './heads.js'
import { embedPatches, patchesAcross, withClassToken } from './patches.js'
import { fixedPixelRules } from './pixel-rules.js'

const positive = z.int().min(1)

/** Defaults of transformers 4.40.1's `CLIPVisionConfig`: a key equal to its default is not saved. */
const clipConfigSchema = z.object({
  hidden_size: positive.default(768),
  intermediate_size: positive.default(3072),
  num_hidden_layers: positive.default(12),
  num_attention_heads: positive.default(12),
  num_channels: z.literal(3).default(3),
  image_size: positive.default(224),
  patch_size: positive.default(32),
  hidden_act: z.string().default('quick_gelu'),
  layer_norm_eps: z.number().default(1e-5),
})

type ClipConfig = z.infer<typeof clipConfigSchema>

const parseClip = ({ vision_config }: CheckpointConfig): ClipConfig =>
  expectWholeHeads(parseConfig(clipConfigSchema, vision_config, 'vision_config'))

const tokensOf = ({ image_size, patch_size }: ClipConfig): number => patchesAcross(image_size, patch_size) ** 2 + 1

/**
 * CLIP (Radford et al. 2021), as transformers 4.40.1's `CLIPVisionModel`: a class token, learned positions, a norm
 * before the first layer, pre-norm layers with biases everywhere.
 */
export const clip: VisionTower = {
  modelTypes: ['clip_vision_model', 'clip'],
  describe: describeClip,
  build: buildClip,
}

/** @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`. */
export function describeClip(config: CheckpointConfig, { imageProcessor }: Pick<TowerSource, 'imageProcessor'>): VisionTowerShape {
  const clipConfig = parseClip(config)
  const side = clipConfig.image_size
  // Constants of CLIPImageProcessor; the base models' files name the tower's own size.
  const family = {
    imageSize: side,
    shortestEdge: side,
    rescaleFactor: 1 / 255,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  }
  return { pixels: fixedPixelRules(family, imageProcessor), tokens: tokensOf(clipConfig), width: clipConfig.hidden_size }
}

/**
 * Builds the tower up to the feature layer.
 *
 * ```
 * pixels ─ patches ─ class token in front ─ + positions ─ pre_layrnorm ─ encoder ──► [frames, tokens, width]
 * ```
 *
 * @param module At the `CLIPVisionModel`.
 */
export function buildClip(module: Module, pixels: Value, config: CheckpointConfig): Value {
  const clipConfig = parseClip(config)
  const [tokens, width] = [tokensOf(clipConfig), clipConfig.hidden_size]
  const vision = module.child('vision_model')
  // Never looked at: the pooled token's norm.
  vision.ignore(/^post_layernorm\.|^embeddings\.position_ids$/)
  const embedded = embed(vision.child('embeddings'), pixels, clipConfig)
  // The original's own spelling.
  const normed = layerNorm(vision.child('pre_layrnorm'), embedded, clipConfig.layer_norm_eps)
  const hidden = clipEncoder(vision, normed, clipConfig, { tokens, featureLayer: config.vision_feature_layer })
  return reshape(module.graph, hidden, [-1, tokens, width], ['frames', tokens, width])
}

/** Class token and patches, each with its learned position: `[frames * tokens, width]`. */
function embed(module: Module, pixels: Value, config: ClipConfig): Value {
  const { hidden_size: width, patch_size: patch } = config
  const patches = embedPatches(module.child('patch_embedding'), pixels, { patch, width, bias: false })
  const tokens = withClassToken(module, module.parameter('class_embedding', [width]), patches)
  const positions = module.child('position_embedding').parameter('weight', [tokensOf(config), width])
  return reshape(module.graph, add(module.graph, tokens, positions), [-1, width], ['rows', width])
}
