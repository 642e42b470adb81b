/** The layout of codes and scales, as ONNX Runtime itself reads it. */
import { Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'

import { GraphBuilder, MICROSOFT } from '../../../src/model/graph/builder.js'
import { type BlockFormat, blockBytes, blocksPerRow } from '../../../src/model/quantise/block-format.js'
import { quantiseRows } from '../../../src/model/quantise/quantise-rows.js'
import { ZERO_CODE, quantiseTransposed } from '../../../src/model/quantise/quantise-transposed.js'
import { dequantise } from '../../support/dequantise.js'
import { relativeError } from '../../support/golden.js'
import { float32Tensor, floats, int64Tensor } from '../../support/graphs.js'
import { seededNormals } from '../../support/seeded.js'
import { openSingleGraph } from '../../support/single-graph.js'

const ROWS = 21
const INPUTS = 5

const cases = ([4, 8] as const).flatMap((bits) => [
  { bits, blockSize: 32, columns: 64 }, { bits, blockSize: 32, columns: 36 }, { bits, blockSize: 64, columns: 200 }, { bits, blockSize: 128, columns: 100 },
] as const)

function quantised(columns: number, format: BlockFormat) {
  const rows = quantiseRows(seededNormals(ROWS * columns), columns, format)
  if (rows === undefined) throw new Error('unreachable')
  return rows
}

describe.each(cases)('$bits bits, blocks of $blockSize, $columns columns', ({ bits, blockSize, columns }) => {
  const format: BlockFormat = { bits, blockSize, scaleType: 'float32' }
  const matrix = quantised(columns, format)
  const restored = dequantise(matrix, columns, format)
  const blocks = blocksPerRow(columns, format)

  test.each([0, 1, 4])('MatMulNBits at accuracy level %i multiplies with the values the codes stand for', async (level) => {
    const graph = GraphBuilder.empty('product')
    const x = graph.input('x', 'float32', [INPUTS, columns])
    const packed = graph.constant('uint8', [ROWS, blocks, blockBytes(format)], matrix.packed)
    const scales = graph.constant('float32', [ROWS, blocks], matrix.scales)
    const attributes = { K: columns, N: ROWS, bits, block_size: blockSize, accuracy_level: level }
    graph.output('y', graph.node('MatMulNBits', [x, packed, scales], { dataType: 'float32', shape: [INPUTS, ROWS] }, { attributes, domain: MICROSOFT }))
    const { run, folder } = await openSingleGraph(graph)
    const inputs = seededNormals(INPUTS * columns, 7)
    const outputs = floats(await run({ x: float32Tensor(inputs, [INPUTS, columns]) }), 'y')
    folder.remove()
    // Level 4 also rounds what goes in, to 8 bits a block.
    expect(relativeError(outputs, product(inputs, restored, columns))).toBeLessThan(level === 4 ? 1e-2 : 1e-5)
  })

  test('GatherBlockQuantized looks the same values up', async () => {
    const graph = GraphBuilder.empty('look-up')
    const ids = graph.input('ids', 'int64', [ROWS])
    const packed = graph.constant('uint8', [ROWS, blocks * blockBytes(format)], matrix.packed)
    const scales = graph.constant('float32', [ROWS, blocks], matrix.scales)
    const attributes = { bits, block_size: blockSize, gather_axis: 0, quantize_axis: 1 }
    const type = { dataType: 'float32', shape: [ROWS, blocks * blockSize] } as const
    graph.output('rows', graph.node('GatherBlockQuantized', [packed, ids, scales], type, { attributes, domain: MICROSOFT }))
    const { run, folder } = await openSingleGraph(graph)
    const rows = floats(await run({ ids: int64Tensor(Array.from({ length: ROWS }, (_, row) => row), [ROWS]) }), 'rows')
    folder.remove()
    const kept = rows.filter((_, index) => index % (blocks * blockSize) < columns)
    expect(kept).toEqual(Float32Array.from(restored))
    expect(rows.filter((_, index) => index % (blocks * blockSize) >= columns).every((value) => value === 0)).toBe(true)
  })
})

test('DynamicQuantizeMatMul takes the transposed codes, a scale for each column', async () => {
  const columns = 50
  const values = seededNormals(ROWS * columns)
  const matrix = quantiseTransposed(values, columns)
  if (matrix === undefined) throw new Error('unreachable')
  const graph = GraphBuilder.empty('dynamic')
  const x = graph.input('x', 'float32', [INPUTS, columns])
  const packed = graph.constant('uint8', [columns, ROWS], matrix.codes)
  const scales = graph.constant('float32', [ROWS], new Uint8Array(matrix.scales.buffer))
  const type = { dataType: 'float32', shape: [INPUTS, ROWS] } as const
  graph.output('y', graph.node('DynamicQuantizeMatMul', [x, packed, scales, graph.constant('uint8', [], Uint8Array.of(ZERO_CODE))], type, { domain: MICROSOFT }))
  const { run, folder } = await openSingleGraph(graph)
  const inputs = seededNormals(INPUTS * columns, 7)
  const outputs = floats(await run({ x: new Tensor('float32', inputs, [INPUTS, columns]) }), 'y')
  folder.remove()
  expect(relativeError(outputs, product(inputs, Float64Array.from(values), columns))).toBeLessThan(2e-2)
  expect(quantiseTransposed(Float32Array.of(1, NaN), 2)).toBeUndefined()
})

/** `inputs · weightᵀ` in float64. */
function product(inputs: Float32Array, weight: Float64Array, columns: number): number[] {
  return Array.from({ length: INPUTS * ROWS }, (_, index) => {
    const [input, row] = [Math.floor(index / ROWS), index % ROWS]
    let sum = 0
    for (let column = 0; column < columns; column += 1) {
      sum += (inputs[input * columns + column] ?? NaN) * (weight[row * columns + column] ?? NaN)
    }
    return sum
  })
}
