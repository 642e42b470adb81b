import { expect, test } from 'vitest'
import { createRandom } from '../../../src/model/runtime/random.js'

const numbers = (seed: number, count: number): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, random)
}

test('gives the same numbers for the same seed, on every machine and in every version', () => {
  expect(numbers(0, 3).map((value) => Math.round(value * 2 ** 32))).toEqual([1363572419, 145230303, 808754475])
})

test('gives numbers in [0, 1) that are spread evenly', () => {
  const sample = numbers(42, 50_000)
  expect(Math.min(...sample)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...sample)).toBeLessThan(1)
  const tenths = new Array<number>(10).fill(0)
  for (const value of sample) tenths[Math.floor(value * 10)] = (tenths[Math.floor(value * 10)] ?? 0) + 1
  // Five standard deviations of a count of 50,000 tenths.
  for (const count of tenths) expect(Math.abs(count - 5000)).toBeLessThan(5 * Math.sqrt(50_000 * 0.1 * 0.9))
})

test('tells seeds apart, near ones and those beyond 32 bits', () => {
  const firsts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) => numbers(seed, 1)[0])
  expect(new Set(firsts).size).toBe(6)
})
