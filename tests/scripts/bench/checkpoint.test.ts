import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { randomBundle } from '../../../scripts/bench/bundles.js'
import { randomCheckpoint } from '../../../scripts/bench/checkpoint/checkpoint.js'
import { FULL_SIZE, SMALL, operationsPerFrame, withLayers } from '../../../scripts/bench/checkpoint/geometry.js'
import { planTensors } from '../../../scripts/bench/checkpoint/tensors.js'
import { weightBytesPerRun } from '../../../scripts/bench/weight-bytes.js'
import { GRAPH_FILES } from '../../../src/model/manifest.js'
import { readSafetensorsHeader } from '../../../src/model/checkpoint/safetensors.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'

let folder: TemporaryFolder
beforeAll(() => { folder = temporaryFolder() })
afterAll(() => { folder.remove() })

test('the full size is that of the published checkpoint', () => {
  const elements = planTensors(FULL_SIZE).reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size), 0)
  expect(elements / 1e9).toBeCloseTo(3.61, 1)
  expect(operationsPerFrame(FULL_SIZE.tower) / 1e12).toBeCloseTo(0.64, 2)
})

test('fewer layers leave the widths', () => {
  expect(withLayers(FULL_SIZE, 2)).toMatchObject({ name: 'full-size-2-layers', tower: { width: 1152, layers: 2 }, text: { width: 2048, layers: 2 } })
  expect(withLayers(FULL_SIZE, undefined)).toBe(FULL_SIZE)
})

test('a checkpoint of random weights is whole, is found again, and is converted', async () => {
  const made = await randomCheckpoint(folder.path, SMALL)
  expect(await randomCheckpoint(folder.path, SMALL)).toEqual(made)
  const tensors = await readSafetensorsHeader(join(made.checkpoint, 'model.safetensors'))
  expect(tensors).toHaveLength(planTensors(SMALL).length)
  // The converter takes each tensor by name and shape, and refuses what is left over.
  const bundle = await randomBundle(folder.path, SMALL, 'fp32')
  const { width, inner, layers, heads, keyValueHeads, vocabulary } = SMALL.text
  const shared = (width / heads) * keyValueHeads
  const elements = layers * (2 * width * width + 2 * width * shared + 3 * width * inner) + vocabulary * width
  expect(await weightBytesPerRun(join(bundle, GRAPH_FILES.appendingDecoder))).toBeGreaterThanOrEqual(elements * 4)
  expect(await weightBytesPerRun(join(bundle, GRAPH_FILES.appendingDecoder))).toBeLessThan(elements * 4 * 1.02)
})
