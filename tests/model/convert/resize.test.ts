/** `preprocess.onnx` against Pillow's bicubic, through transformers' image processor. */
import { expect, test } from 'vitest'

import { preprocessGraph } from '../../../src/model/convert/preprocess-graph.js'
import { goldenTensor, readGolden } from '../../support/golden.js'
import { bytes, uint8Tensor } from '../../support/graphs.js'
import { openSingleGraph } from '../../support/single-graph.js'

const golden = readGolden('resize.safetensors')
const sizes = [...golden.keys()].filter((name) => name.startsWith('input.')).map((name) => {
  const number = name.replace('input.', '')
  return { number, from: goldenTensor(golden, name).shape.slice(0, 2).join(' x '), to: goldenTensor(golden, `output.${number}`).shape[0] ?? 0 }
})

test.each(sizes)('$from to $to: at most 0.1 % of the values are off, by 1', async ({ number, to }) => {
  const input = goldenTensor(golden, `input.${number}`)
  const expected = goldenTensor(golden, `output.${number}`).data
  const { run, folder } = await openSingleGraph(preprocessGraph(to))
  const pixels = bytes(await run({ frame: uint8Tensor(input.data, [1, ...input.shape]) }), 'pixels')
  folder.remove()
  const differences = Array.from(pixels, (value, index) => Math.abs(value - (expected[index] ?? NaN)))
  expect(Math.max(...differences)).toBeLessThanOrEqual(1)
  expect(differences.filter((difference) => difference > 0).length).toBeLessThanOrEqual(Math.ceil(0.001 * expected.length))
})
