/** `preprocess.onnx` against Pillow's bicubic, through transformers' image processors. */
import { expect, test } from 'vitest'

import { preprocessGraph } from '../../../src/model/convert/preprocess-graph.js'
import type { PixelRules } from '../../../src/model/parts/part.js'
import { type GoldenTensor, goldenTensor, readGolden } from '../../support/golden.js'
import { bytes, uint8Tensor } from '../../support/graphs.js'
import { openSingleGraph } from '../../support/single-graph.js'

const squeezed = readGolden('resize.safetensors')
const cropped = readGolden('crop.safetensors')

/** The pairs of a table, with their sizes for the tests' names. */
const pairs = (golden: ReadonlyMap<string, GoldenTensor>) =>
  [...golden.keys()].filter((name) => name.startsWith('input.')).map((name) => {
    const number = Number(name.replace('input.', ''))
    return { number, from: goldenTensor(golden, name).shape.slice(0, 2).join(' x '), to: goldenTensor(golden, `output.${number}`).shape[0] ?? 0 }
  })

test.each(pairs(squeezed))('$from to $to: at most 0.1 % of the values are off, by 1', async ({ number, to }) => {
  await expectPixels(squeezed, number, { imageSize: to })
})

test.each(pairs(cropped))('$from, the middle $to of it: at most 0.1 % of the values are off, by 1', async ({ number, to }) => {
  const shortestEdge = goldenTensor(cropped, 'sizes').data[2 * number] ?? NaN
  await expectPixels(cropped, number, { imageSize: to, shortestEdge })
})

async function expectPixels(
  golden: ReadonlyMap<string, GoldenTensor>,
  number: number,
  sizes: Pick<PixelRules, 'imageSize' | 'shortestEdge'>,
): Promise<void> {
  const input = goldenTensor(golden, `input.${number}`)
  const expected = goldenTensor(golden, `output.${number}`).data
  const { run, folder } = await openSingleGraph(preprocessGraph(sizes))
  const pixels = bytes(await run({ frame: uint8Tensor(input.data, [1, ...input.shape]) }), 'pixels')
  folder.remove()
  expect(pixels).toHaveLength(expected.length)
  const differences = Array.from(pixels, (value, index) => Math.abs(value - (expected[index] ?? NaN)))
  expect(Math.max(...differences)).toBeLessThanOrEqual(1)
  expect(differences.filter((difference) => difference > 0).length).toBeLessThanOrEqual(Math.ceil(0.001 * expected.length))
}
