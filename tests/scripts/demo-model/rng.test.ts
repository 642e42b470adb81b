import { expect, test } from 'vitest'
import { createRng } from '../../../scripts/demo-model/rng.js'

test('gives the same draws for the same seed, on every machine', () => {
  const rng = createRng(42)
  const again = createRng(42)
  const draws = Array.from({ length: 5 }, () => rng.next())

  expect(Array.from({ length: 5 }, () => again.next())).toEqual(draws)
  expect(draws.map((draw) => Math.floor(draw * 1000))).toMatchInlineSnapshot(`
    [
      580,
      797,
      651,
      6,
      816,
    ]
  `)
})

test('gives unrelated draws for neighbouring seeds', () => {
  const firsts = Array.from({ length: 1000 }, (_, seed) => createRng(seed).next())
  const mean = firsts.reduce((sum, draw) => sum + draw, 0) / firsts.length

  expect(new Set(firsts).size).toBe(1000)
  expect(mean).toBeCloseTo(0.5, 1)
})

test('a fork leaves the draws of its origin as they were', () => {
  const plain = createRng(7)
  const forked = createRng(7)
  forked.fork(1).next()

  expect(forked.next()).toBe(plain.next())
  expect(createRng(7).fork(1).next()).not.toBe(createRng(7).fork(2).next())
})

test('keeps to the asked range and items', () => {
  const rng = createRng(1)
  const draws = Array.from({ length: 1000 }, () => rng.between(-2, 3))
  const picks = new Set(Array.from({ length: 100 }, () => rng.pick(['a', 'b', 'c'])))

  expect(Math.min(...draws)).toBeGreaterThanOrEqual(-2)
  expect(Math.max(...draws)).toBeLessThan(3)
  expect([...picks].sort()).toEqual(['a', 'b', 'c'])
})
