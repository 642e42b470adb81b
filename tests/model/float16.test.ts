import { describe, expect, test } from 'vitest'

import { float16ToNumber, narrowToFloat16, roundToFloat16, widenFloat16 } from '../../src/model/float16.js'

const narrow = (...values: number[]): number[] => {
  const bits = new Uint16Array(values.length)
  narrowToFloat16(Float32Array.from(values), bits)
  return [...bits]
}

test.each([
  ['zero', 0x0000, 0],
  ['one', 0x3c00, 1],
  ['minus two', 0xc000, -2],
  ['the largest', 0x7bff, 65504],
  ['the smallest normal', 0x0400, 2 ** -14],
  ['the smallest subnormal', 0x0001, 2 ** -24],
  ['infinity', 0x7c00, Infinity],
])('%s, both ways', (_, bits, value) => {
  expect(float16ToNumber(bits)).toBe(value)
  expect(narrow(value)).toEqual([bits])
})

test('every float16 is the same after the way to float32 and back', () => {
  const all = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits)
  const values = new Float32Array(all.length)
  widenFloat16(all, values)
  const back = new Uint16Array(all.length)
  narrowToFloat16(values, back)
  const isNaN16 = (bits: number): boolean => (bits & 0x7fff) > 0x7c00
  const different = [...all].filter((bits) => (isNaN16(bits) ? !isNaN16(back[bits] ?? 0) : back[bits] !== bits))
  expect(different).toEqual([])
})

describe('rounding', () => {
  test('goes to the nearest, and to the even one of two', () => {
    // Steps of 2^-10 above 1: a half step is between two.
    expect(narrow(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([0x3c00, 0x3c02, 0x3c01])
    expect(narrow(-(1 + 3 * 2 ** -11))).toEqual([0xbc02])
  })

  test('does so below the smallest normal, too', () => {
    expect(narrow(2 ** -25, 1.5 * 2 ** -24, 2.5 * 2 ** -24, 2 ** -25 + 2 ** -40, 2 ** -14 - 2 ** -25)).toEqual([0, 2, 2, 1, 0x400])
    expect(narrow(1e-40, -(2 ** -26))).toEqual([0, 0x8000])
  })

  test('becomes infinity from half a step above the largest on', () => {
    expect(narrow(65519, 65520, -1e30, NaN)).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7e00])
  })

  test('of one number', () => {
    expect([roundToFloat16(0.1), roundToFloat16(-3), roundToFloat16(1e6)]).toEqual([0.0999755859375, -3, Infinity])
  })
})
