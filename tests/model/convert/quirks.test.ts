/** The reference's quirks, each by its name. Keeping them is what makes the answers the same. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { preprocessGraph } from '../../../src/model/convert/preprocess-graph.js'
import { normalisedLevels } from '../../../src/model/convert/vision-graph.js'
import { roundToFloat16 } from '../../../src/model/float16.js'
import { positionEncoding } from '../../../src/model/graph/blocks/position-encoding.js'
import { GraphBuilder } from '../../../src/model/graph/builder.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { goldenTensor, readGolden } from '../../support/golden.js'
import { bytes, floats, int64Tensor, openGraph, uint8Tensor } from '../../support/graphs.js'
import { openSingleGraph } from '../../support/single-graph.js'

const siglipPixels = { imageSize: 30, rescaleFactor: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }

describe('near-black frames', () => {
  test('a frame whose largest value is 1 is near black, one whose largest is 2 is not', async () => {
    const { run, folder } = await openSingleGraph(preprocessGraph({ imageSize: 4 }))
    const nearBlack = async (largest: number): Promise<number | undefined> =>
      bytes(await run({ frame: uint8Tensor([largest, ...new Array<number>(59).fill(0)], [1, 4, 5, 3]) }), 'near_black')[0]
    expect(await Promise.all([0, 1, 2, 255].map(nearBlack))).toEqual([1, 1, 0, 0])
    folder.remove()
  })

  test('are told by the full-size pixels: a lone bright one that resizing blurs away still counts', async () => {
    const { run, folder } = await openSingleGraph(preprocessGraph({ imageSize: 2 }))
    const frame = new Array<number>(200 * 200 * 3).fill(0)
    frame[0] = 200
    const outputs = await run({ frame: uint8Tensor(frame, [1, 200, 200, 3]) })
    expect(Math.max(...bytes(outputs, 'pixels'))).toBe(0)
    expect(bytes(outputs, 'near_black')[0]).toBe(0)
    folder.remove()
  })

  test('are not rescaled: a 1 becomes +1 and not -0.99', () => {
    const levels = normalisedLevels(siglipPixels)
    const [rescaled, raw] = [levels.subarray(0, 768), levels.subarray(768, 1536)]
    expect([rescaled[0], rescaled[255]]).toEqual([-1, 1])
    expect(rescaled[1]).toBeCloseTo(2 / 255 - 1, 6)
    expect([raw[0], raw[1]]).toEqual([-1, 1])
  })
})

describe('pictures that are no video\'s frames', () => {
  test('are rescaled as frames are, then rounded through float16', () => {
    const levels = normalisedLevels({ ...siglipPixels, mean: [0.48145466, 0.5, 0.5], std: [0.26862954, 0.5, 0.5] })
    const [frames, pictures] = [levels.subarray(0, 768), levels.subarray(1536)]
    expect([...pictures]).toEqual(Array.from(frames, roundToFloat16))
    expect([...pictures]).not.toEqual([...frames])
  })
})

describe('the tower', () => {
  const reference = readCase('qwen2-group-16')
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(reference, 'fused') })
  afterAll(() => { bundle.remove() })

  test('drops its first token though SigLIP has no class token: 16 patches, 15 tokens', async () => {
    expect(bundle.manifest.visionTower.tokensPerFrame).toBe(15)
    const vision = await openGraph(bundle.directory, 'vision_encoder.onnx')
    const outputs = await vision({ pixels: uint8Tensor(new Uint8Array(2 * 30 * 30 * 3), [2, 30, 30, 3]), levels: int64Tensor([1, 1], [2]) })
    expect(outputs.features?.dims).toEqual([2, 15, 36])
  })

  test('decides near-black for each frame of a batch by itself', async () => {
    const vision = await openGraph(bundle.directory, 'vision_encoder.onnx')
    const ones = uint8Tensor(new Uint8Array(2 * 30 * 30 * 3).fill(1), [2, 30, 30, 3])
    const features = floats(await vision({ pixels: ones, levels: int64Tensor([1, 0], [2]) }), 'features')
    const half = features.length / 2
    expect(features.slice(0, half)).not.toEqual(features.slice(half))
    const both = floats(await vision({ pixels: ones, levels: int64Tensor([1, 1], [2]) }), 'features')
    expect(features.slice(0, half)).toEqual(both.slice(0, half))
  })

  test('cuts what the patches don\'t cover at the right and the bottom: 30 = 4 x 7 + 2', async () => {
    const vision = await openGraph(bundle.directory, 'vision_encoder.onnx')
    const run = async (value: number): Promise<Float32Array> => {
      const pixels = new Uint8Array(30 * 30 * 3).fill(40)
      for (let y = 0; y < 30; y += 1) pixels.fill(value, (y * 30 + 28) * 3, (y * 30 + 30) * 3)
      return floats(await vision({ pixels: uint8Tensor(pixels, [1, 30, 30, 3]), levels: int64Tensor([0], [1]) }), 'features')
    }
    expect(await run(255)).toEqual(await run(0))
  })
})

describe('the resamplers\' position encoding is rounded through float16', () => {
  const golden = readGolden('positions.safetensors')

  async function positions(count: number, width: number): Promise<Float32Array> {
    const graph = GraphBuilder.empty('positions')
    graph.output('encoding', positionEncoding(graph, graph.input('count', 'int64', []), { width, dataType: 'float32' }))
    const { run, folder } = await openSingleGraph(graph)
    const encoding = floats(await run({ count: int64Tensor([count], []) }), 'encoding')
    folder.remove()
    return encoding
  }

  test('510 positions of width 64', async () => {
    const expected = goldenTensor(golden, 'small').data
    const actual = await positions(510, 64)
    // Sine and cosine of two libraries differ in the last bit of float32, which now and then is the next float16.
    const differing = actual.filter((value, index) => value !== expected[index])
    expect(differing.length).toBeLessThan(0.01 * expected.length)
    expect(Math.max(...actual.map((value, index) => Math.abs(value - (expected[index] ?? NaN))))).toBeLessThanOrEqual(2 ** -11)
  })

  test('11,648 positions of width 2,048: 16 frames of so400m-384', async () => {
    const [rows, columns] = [goldenTensor(golden, 'large.rows').data, goldenTensor(golden, 'large.columns').data]
    const expected = goldenTensor(golden, 'large').data
    const actual = await positions(11648, 2048)
    const differences = Array.from(rows).flatMap((row, r) =>
      Array.from(columns, (column, c) => Math.abs((actual[row * 2048 + column] ?? NaN) - (expected[r * columns.length + c] ?? NaN))),
    )
    // Far out, one bit of a frequency is a phase of 1e-3.
    expect(Math.max(...differences)).toBeLessThan(2e-3)
    expect(differences.filter((difference) => difference > 0).length).toBeLessThan(0.02 * differences.length)
  })
})
