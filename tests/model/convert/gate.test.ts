/** A tower in int8-dynamic has to prove that its features are still right. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { convertCheckpoint } from '../../../src/model/convert.js'
import { LEAST_COSINE, checkTower } from '../../../src/model/convert/gate/check-tower.js'
import { cosine } from '../../../src/model/convert/gate/cosine.js'
import { PICTURES, drawPictures } from '../../../src/model/convert/gate/pictures.js'
import { type TemporaryFolder, copyCheckpoint, editWeights, temporaryFolder } from '../../support/checkpoint-files.js'

const demo = fileURLToPath(new URL('../../../models/demo', import.meta.url))

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

test('the demo model\'s tower passes, and the one it was compared with is gone', async () => {
  const out = folder.file('bundle')
  const manifest = await convertCheckpoint(demo, out, { visionPrecision: 'int8-dynamic' })
  expect(manifest.precisions.visionTower).toEqual({ weights: 'int8-dynamic', activations: 'float32' })
  expect(readdirSync(out).sort()).toEqual([...Object.keys(manifest.files), 'manifest.json'].sort())
  const plain = await convertCheckpoint(demo, folder.file('plain'))
  expect(manifest.sourceDigest).toBe(plain.sourceDigest)
  const pair = { exact: `${folder.file('plain')}/vision_encoder.onnx`, quantised: `${out}/vision_encoder.onnx`, imageSize: manifest.visionTower.imageSize }
  const least = await checkTower(pair)
  expect(least).toBeGreaterThan(LEAST_COSINE)
  expect(least).toBeLessThan(1)
})

test('a tower with one value far above all others is refused, naming what to do, and leaves nothing', async () => {
  const checkpoint = folder.file('checkpoint')
  copyCheckpoint('qwen2-group-16', checkpoint)
  const layer = 'vision_tower._vision_tower.vision_model.encoder.layers.0.mlp'
  editWeights(checkpoint, ({ header, data }) => {
    const [firstBias = NaN, afterBias = NaN] = header[`${layer}.fc1.bias`]?.data_offsets ?? []
    const hidden = (afterBias - firstBias) / 4
    const [weight = NaN, afterWeight = NaN] = header[`${layer}.fc2.weight`]?.data_offsets ?? []
    data.writeFloatLE(1e6, firstBias)
    for (let at = weight; at < afterWeight; at += 4) {
      // What is so large counts for nothing, but the one scale for all that goes in has to reach it.
      const isColumnOfLarge = ((at - weight) / 4) % hidden === 0
      data.writeFloatLE(isColumnOfLarge ? 0 : data.readFloatLE(at) * 100, at)
    }
  })
  await convertCheckpoint(checkpoint, folder.file('int8'), { visionPrecision: 'int8' })
  const message: unknown = expect.stringMatching(/cosine -?0\.\d+ .*at least 0.999.*--vision-precision int8\./)
  await expect(convertCheckpoint(checkpoint, folder.file('bundle'), { visionPrecision: 'int8-dynamic' }))
    .rejects.toMatchObject({ code: 'CONVERT_INACCURATE', message })
  expect(readdirSync(folder.path).sort()).toEqual(['checkpoint', 'int8'])
})

test('an abort ends the comparison', async () => {
  const out = folder.file('bundle')
  const { visionTower: { imageSize } } = await convertCheckpoint(demo, out)
  const tower = `${out}/vision_encoder.onnx`
  const abort = new AbortController()
  const comparing = checkTower({ exact: tower, quantised: tower, imageSize }, abort.signal)
  abort.abort()
  await expect(comparing).rejects.toMatchObject({ code: 'ABORTED' })
})

test('a graph that can\'t be run is an error of the model', async () => {
  const tower = folder.file('none.onnx')
  await expect(checkTower({ exact: tower, quantised: tower, imageSize: 8 })).rejects.toMatchObject({ code: 'MODEL_FAILED' })
})

describe('its parts', () => {
  test('pictures are the same each time, and no two are alike', () => {
    const pictures = drawPictures(16)
    expect(pictures).toEqual(drawPictures(16))
    expect(pictures.map(({ length }) => length)).toEqual(new Array<number>(PICTURES).fill(16 * 16 * 3))
    expect(new Set(pictures.map((picture) => picture.join())).size).toBe(PICTURES)
  })

  test('cosine', () => {
    expect(cosine(Float32Array.of(1, 2), Float32Array.of(2, 4))).toBeCloseTo(1, 12)
    expect(cosine(Float32Array.of(1, 0), Float32Array.of(0, 3))).toBe(0)
    expect(cosine(Float32Array.of(1, 1), Float32Array.of(-1, -1))).toBeCloseTo(-1, 12)
  })
})
