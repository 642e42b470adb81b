/** A key that equals its class default is not saved, so our defaults must be transformers 4.40.1's. */
import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'
import { z } from 'zod'

import type { CheckpointConfig } from '../../../src/model/checkpoint/config.js'
import { clip } from '../../../src/model/parts/towers/clip.js'
import { dinov2 } from '../../../src/model/parts/towers/dinov2.js'
import { siglip } from '../../../src/model/parts/towers/siglip.js'
import { referencePath } from '../../support/golden.js'

const tower = z.object({ hidden_size: z.int(), image_size: z.int(), patch_size: z.int() })
const defaults = z
  .object({ siglip_vision_model: tower, clip_vision_model: tower, dinov2: tower })
  .parse(JSON.parse(readFileSync(referencePath('config-defaults.json'), 'utf8')))

/** A checkpoint that saved nothing of its parts. */
const empty = { text_config: {}, vision_config: {} } as CheckpointConfig
const nothing = { imageProcessor: {}, shapeOf: () => undefined }

test('SigLIP: a token for each patch', () => {
  const { hidden_size: width, image_size: imageSize, patch_size: patch } = defaults.siglip_vision_model
  expect(siglip.describe(empty, nothing)).toMatchObject({ width, pixels: { imageSize }, tokens: (imageSize / patch) ** 2 })
})

test('CLIP: one more for the class', () => {
  const { hidden_size: width, image_size: imageSize, patch_size: patch } = defaults.clip_vision_model
  const pixels = { imageSize, shortestEdge: imageSize }
  expect(clip.describe(empty, nothing)).toMatchObject({ width, pixels, tokens: (imageSize / patch) ** 2 + 1 })
})

test('DINOv2: pictures have the image processor\'s size', () => {
  const { hidden_size: width, patch_size: patch } = defaults.dinov2
  expect(dinov2.describe(empty, nothing)).toMatchObject({ width, pixels: { imageSize: 224, shortestEdge: 256 }, tokens: (224 / patch) ** 2 + 1 })
})
