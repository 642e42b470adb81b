/** Codes and scales: the very bytes of small matrices, and how far large ones are off. */
import { describe, expect, test } from 'vitest'

import { float16ToNumber } from '../../../src/model/float16.js'
import { type BlockFormat, blockBytes, blocksPerRow } from '../../../src/model/quantise/block-format.js'
import { quantiseRows } from '../../../src/model/quantise/quantise-rows.js'
import { dequantise } from '../../support/dequantise.js'
import { seededNormals } from '../../support/seeded.js'

const format = (bits: 4 | 8, blockSize: 32 | 64 | 128 = 32, scaleType: 'float32' | 'float16' = 'float32'): BlockFormat =>
  ({ bits, blockSize, scaleType })

function quantised(values: Float32Array, columns: number, as: BlockFormat) {
  const rows = quantiseRows(values, columns, as)
  if (rows === undefined) throw new Error('Expected the values to be quantised.')
  return rows
}

/** 32 values, the given ones first, then zeros. */
const row = (...values: number[]): Float32Array => Float32Array.from({ length: 32 }, (_, index) => values[index] ?? 0)

describe('packing', () => {
  test('of 4 bits: low half first, zero is 8, the largest value takes the code that has no opposite', () => {
    const { packed, scales } = quantised(row(-8, 7, 3, -2, 0, 1), 32, format(4))
    expect([...new Float32Array(scales.buffer)]).toEqual([1])
    expect([...packed]).toEqual([0xf0, 0x6b, 0x98, ...new Array<number>(13).fill(0x88)])
  })

  test('of 4 bits where the largest is positive: the scale is negative', () => {
    const { packed, scales } = quantised(row(8, -7, -3, 2), 32, format(4))
    expect([...new Float32Array(scales.buffer)]).toEqual([-1])
    expect([...packed.subarray(0, 2)]).toEqual([0xf0, 0x6b])
  })

  test('of 8 bits: a byte each, zero is 128', () => {
    const { packed, scales } = quantised(row(-128, 127, 5), 32, format(8))
    expect([...new Float32Array(scales.buffer)]).toEqual([1])
    expect([...packed.subarray(0, 4)]).toEqual([0, 255, 133, 128])
  })

  test('fills up a last block with zeros, of an odd number of columns, too', () => {
    const values = Float32Array.of(...row(-8, 1), -16, 2, 4, ...row(-8, 1), -4, 2, 1)
    const { packed, scales } = quantised(values, 35, format(4))
    expect([...new Float32Array(scales.buffer)]).toEqual([1, 2, 1, 0.5])
    expect(packed.length).toBe(4 * 16)
    expect([...packed.subarray(16, 20)]).toEqual([0x90, 0x8a, 0x88, 0x88])
    expect([...packed.subarray(48, 52)]).toEqual([0xc0, 0x8a, 0x88, 0x88])
  })

  test('keeps a block of zeros zero', () => {
    const { packed, scales } = quantised(row(), 32, format(4))
    expect([...new Float32Array(scales.buffer)]).toEqual([0])
    expect([...packed]).toEqual(new Array<number>(16).fill(0x88))
  })

  test.each([8, 4] as const)('keeps float16 scales of %i bits where they have all their digits, also for tiny values', (bits) => {
    const { scales } = quantised(Float32Array.from({ length: 32 }, (_, index) => (index - 16) * 1e-7), 32, format(bits, 32, 'float16'))
    const [kept = NaN] = Float32Array.from(new Uint16Array(scales.buffer), float16ToNumber)
    expect(Math.abs(kept)).toBe(2 ** -14)
    const zero = quantised(new Float32Array(32), 32, format(bits, 32, 'float16'))
    expect(float16ToNumber(new Uint16Array(zero.scales.buffer)[0] ?? NaN)).toBe(0)
  })

  test('rounds scales to float16 before the codes are chosen', () => {
    const values = seededNormals(64 * 32)
    const as = format(4, 32, 'float16')
    const { packed, scales } = quantised(values, 32, as)
    const kept = Float32Array.from(new Uint16Array(scales.buffer), float16ToNumber)
    const restored = dequantise({ packed, scales }, 32, as)
    const notNearest = [...values].filter((value, index) => {
      const scale = Math.abs(kept[Math.floor(index / 32)] ?? NaN)
      const isCut = Math.abs(value) > 7 * scale
      return !isCut && Math.abs(value - (restored[index] ?? NaN)) > scale / 2 + 1e-6
    })
    expect(notNearest).toEqual([])
  })
})

test.each([
  ['NaN', NaN, format(4)],
  ['infinity', -Infinity, format(8)],
  ['a scale that float16 has not', 1e6, format(4, 32, 'float16')],
])('%s is refused', (_, value, as) => {
  expect(quantiseRows(row(1, value, 2), 32, as)).toBeUndefined()
})

describe('the error', () => {
  const cases = ([4, 8] as const).flatMap((bits) => ([32, 64, 128] as const).map((blockSize) => format(bits, blockSize)))

  test.each(cases)('of $bits bits in blocks of $blockSize is never above that of plain rounding, block by block', (as) => {
    const columns = 300
    const values = seededNormals(200 * columns, as.blockSize)
    const fitted = dequantise(quantised(values, columns, as), columns, as)
    const plain = plainRounding(values, columns, as)
    const [errors, plainErrors] = [blockErrors(values, fitted, columns, as), blockErrors(values, plain, columns, as)]
    expect(errors.filter((error, index) => error > (plainErrors[index] ?? 0) * (1 + 1e-6))).toEqual([])
    const share = sum(errors) / sum(plainErrors)
    console.info(`${as.bits} bits, blocks of ${as.blockSize}: ${(100 * share).toFixed(1)} % of plain rounding's squared error`)
    expect(share).toBeLessThan(as.bits === 4 ? 0.75 : 0.99)
  })
})

/** The largest value on the largest code, all others to the nearest: what is done where nothing is searched. */
function plainRounding(values: Float32Array, columns: number, as: BlockFormat): Float64Array {
  const most = 2 ** (as.bits - 1) - 1
  const restored = new Float64Array(values.length)
  for (const { begin, end } of blockRanges(values.length, columns, as)) {
    const scale = Math.max(...values.subarray(begin, end).map(Math.abs)) / most
    for (let i = begin; i < end; i += 1) restored[i] = Math.round((values[i] ?? 0) / scale) * scale
  }
  return restored
}

function blockErrors(values: Float32Array, restored: Float64Array, columns: number, as: BlockFormat): number[] {
  return blockRanges(values.length, columns, as).map(({ begin, end }) =>
    sum(Array.from(values.subarray(begin, end), (value, index) => (value - (restored[begin + index] ?? NaN)) ** 2)))
}

function blockRanges(count: number, columns: number, as: BlockFormat): { begin: number; end: number }[] {
  const blocks = blocksPerRow(columns, as)
  return Array.from({ length: (count / columns) * blocks }, (_, index) => {
    const begin = Math.floor(index / blocks) * columns + (index % blocks) * as.blockSize
    return { begin, end: Math.min(begin + as.blockSize, (Math.floor(index / blocks) + 1) * columns) }
  })
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

test('sizes of blocks', () => {
  expect([blockBytes(format(4, 32)), blockBytes(format(8, 128)), blocksPerRow(129, format(4, 128))]).toEqual([16, 128, 2])
})
