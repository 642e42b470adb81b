import { describe, expect, test } from 'vitest'
import { cosine, divergence, relativeError } from '../../../src/model/verify/numbers.js'

const of = (...values: number[]): Float32Array => Float32Array.from(values)

describe('cosine', () => {
  test.each([
    [of(1, 2), of(2, 4), 1],
    [of(1, 0), of(0, 1), 0],
    [of(1, 0), of(-3, 0), -1],
    [of(0, 0), of(0, 0), 1],
  ])('of %s and %s is %s', (a, b, expected) => {
    expect(cosine(a, b)).toBeCloseTo(expected, 6)
  })

  test('is no number where one has no direction, or where something is not a number', () => {
    expect(cosine(of(0, 0), of(1, 0))).toBeNaN()
    expect(cosine(of(NaN, 0), of(1, 0))).toBeNaN()
  })
})

test('relative error is the length of the difference as a share of the expected', () => {
  expect(relativeError(of(3, 4), of(3, 4))).toBe(0)
  expect(relativeError(of(3, 4), of(0, 5))).toBeCloseTo(Math.sqrt(10) / 5, 6)
  expect(relativeError(of(0), of(0))).toBe(0)
  expect(relativeError(of(), of(1))).toBeNaN()
})

describe('divergence', () => {
  test('is nothing between the same distributions, whatever is added to all logits', () => {
    expect(divergence(of(1, 2, 3), of(11, 12, 13))).toBeCloseTo(0, 6)
  })

  test('of a coin that is thought to be another', () => {
    // 0.5 · ln(0.5 / 0.75) + 0.5 · ln(0.5 / 0.25)
    expect(divergence(of(0, 0), of(Math.log(3), 0))).toBeCloseTo(0.5 * Math.log(2 / 3) + 0.5 * Math.log(2), 6)
  })

  test('survives logits that no exponential does', () => {
    expect(divergence(of(1000, 0), of(900, 0))).toBeCloseTo(0, 6)
  })
})
