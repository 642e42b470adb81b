/** What `convertCheckpoint` takes and refuses of towers; their numbers are compared in `stages.test.ts`. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { convertCheckpoint } from '../../../src/model/convert.js'
import type { PrecisionOptions } from '../../../src/model/convert/precisions.js'
import { type FeatureValues, floatFeatures } from '../../../src/model/feature-values.js'
import { readCase } from '../../support/cases.js'
import { type TemporaryFolder, copyCheckpoint, editConfig, editWeights, temporaryFolder } from '../../support/checkpoint-files.js'
import { goldenLevels, goldenPixels } from '../../support/golden-pixels.js'
import { goldenTensor, relativeError } from '../../support/golden.js'
import { int64Tensor, openGraph, uint8Tensor } from '../../support/graphs.js'

let folder: TemporaryFolder
let checkpoint: string
let out: string
beforeEach(() => {
  folder = temporaryFolder()
  checkpoint = folder.file('checkpoint')
  out = folder.file('bundle')
})
afterEach(() => {
  folder.remove()
})

const vision = (config: Record<string, unknown>): Record<string, unknown> => config.vision_config as Record<string, unknown>

describe('refuses, naming what is wrong:', () => {
  const refused: readonly (readonly [string, string, (config: Record<string, unknown>) => void, string, RegExp])[] = [
    ['pictures cut into many', 'picture-siglip-pad', (config) => { config.image_aspect_ratio = 'anyres' }, 'CHECKPOINT_UNSUPPORTED', /anyres.*pad or square/],
    ['a CLIP of a width its heads don\'t divide', 'clip-group', (config) => { vision(config).num_attention_heads = 5 }, 'CHECKPOINT_UNSUPPORTED', /width 36 with 5 heads/],
    ['a CLIP with too few positions', 'clip-group', (config) => { vision(config).image_size = 37 }, 'CHECKPOINT_WEIGHTS_INVALID', /position_embedding.*\[26, 36\]/],
    ['a DINOv2 with register tokens', 'dinov2-group', (config) => { vision(config).num_register_tokens = 4 }, 'CHECKPOINT_UNSUPPORTED', /register tokens/],
    ['the same by its name', 'dinov2-group', (config) => { vision(config).model_type = 'dinov2_with_registers' }, 'CHECKPOINT_UNSUPPORTED', /register tokens/],
    ['a DINOv2 of another feed-forward', 'dinov2-group', (config) => { vision(config).use_swiglu_ffn = true }, 'CHECKPOINT_TENSOR_MISSING', /mlp\.weights_in/],
    ['a MoF whose towers give different tokens', 'picture-mof', (config) => { vision(config).patch_size = 14 }, 'CHECKPOINT_UNSUPPORTED', /5 tokens of 64 from CLIP and 17 of 64/],
    ['a MoF that holds a CLIP alone', 'clip-group', (config) => { config.vision_model_name_or_path = 'mof:openai/clip-tiny' }, 'CHECKPOINT_TENSOR_MISSING', /dinov2\.embeddings/],
    ['a feature layer behind the last', 'dinov2-group', (config) => { config.vision_feature_layer = 4 }, 'CHECKPOINT_CONFIG_INVALID', /vision_feature_layer is 4.*3 layers/],
  ]
  test.each(refused)('%s', async (_, name, edit, code, message) => {
    copyCheckpoint(name, checkpoint)
    editConfig(checkpoint, edit)
    await expect(convertCheckpoint(checkpoint, out)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  })

  test('an image processor that fits another CLIP', async () => {
    copyCheckpoint('clip-group', checkpoint)
    writeFileSync(join(checkpoint, 'preprocessor_config.json'), JSON.stringify({ size: 336, crop_size: 336 }))
    await expect(convertCheckpoint(checkpoint, out)).rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED', message: expect.stringMatching(/336.*30/) as unknown })
  })
})

describe('the bundle says', () => {
  test.each([
    ['picture-siglip-pad', [127, 127, 127]],
    ['picture-clip-pad', [122, 116, 104]],
    ['picture-clip-square', undefined],
  ])('which colour %s lays its pictures on', async (name, padColour) => {
    const { visionTower } = await convertCheckpoint(readCase(name).checkpoint, out)
    expect(visionTower.padColour).toEqual(padColour)
  })

  test('a colour of the mean that the image processor names', async () => {
    copyCheckpoint('picture-siglip-pad', checkpoint)
    writeFileSync(join(checkpoint, 'preprocessor_config.json'), JSON.stringify({ image_mean: [0, 0.999, 1] }))
    expect((await convertCheckpoint(checkpoint, out)).visionTower.padColour).toEqual([0, 254, 255])
  })

  test('that a MoF is one, though vision_config says that it is a CLIP', async () => {
    const { visionTower } = await convertCheckpoint(readCase('picture-mof').checkpoint, out)
    expect(visionTower).toMatchObject({ name: 'mof', width: 128, tokensPerFrame: 16 })
  })

  test('the size of DINOv2\'s pictures without an image processor\'s file', async () => {
    copyCheckpoint('dinov2-group', checkpoint)
    rmSync(join(checkpoint, 'preprocessor_config.json'))
    const { visionTower } = await convertCheckpoint(checkpoint, out)
    expect(visionTower).toMatchObject({ imageSize: 224, tokensPerFrame: 32 * 32 })
  })
})

test('interpolated positions count in the digest of the checkpoint as they stand there', async () => {
  copyCheckpoint('dinov2-group', checkpoint)
  const name = 'vision_tower._vision_tower.embeddings.position_embeddings'
  const before = await convertCheckpoint(checkpoint, out)
  editWeights(checkpoint, ({ header, data }) => {
    const [at = 0] = header[name]?.data_offsets ?? []
    data[at] = (data[at] ?? 0) ^ 1
  })
  expect((await convertCheckpoint(checkpoint, folder.file('other'))).sourceDigest).not.toBe(before.sourceDigest)
})

describe.each(['clip-group', 'dinov2-group', 'dinov2-swiglu', 'picture-mof'])('%s in other precisions', (name) => {
  const precisions: readonly (readonly [PrecisionOptions, number])[] = [
    [{ precision: 'fp16' }, 5e-3],
    [{ precision: 'int8', blockSize: 32 }, 0.05],
  ]
  test.each(precisions)('%o: features within %d', async (options, tolerance) => {
    const reference = readCase(name)
    const { visionTower } = await convertCheckpoint(reference.checkpoint, out, options)
    const pixels = goldenPixels(reference, visionTower)
    const run = await openGraph(out, 'vision_encoder.onnx')
    const outputs = await run({
      pixels: uint8Tensor(pixels.flat(), [pixels.length, visionTower.imageSize, visionTower.imageSize, 3]),
      levels: int64Tensor(goldenLevels(reference), [pixels.length]),
    })
    const features = floatFeatures(outputs.features?.data as FeatureValues)
    expect(relativeError(features, goldenTensor(reference.tensors, 'features').data)).toBeLessThan(tolerance)
  })
})
