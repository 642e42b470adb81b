import { describe, expect, test } from 'vitest'
import { createSampler, draw, keepTopK, keepTopP, likeliest } from '../../../src/model/runtime/sampler.js'

const logits = (...values: readonly number[]): Float32Array => Float32Array.from(values)

describe('greedy', () => {
  test('takes the highest, the lowest id among equals', () => {
    expect(likeliest(logits(1, 3, 2, 3))).toBe(1)
    expect(likeliest(logits(-5, -Infinity, -4))).toBe(2)
  })

  test('is what temperature 0 means, whatever the other settings', () => {
    expect(createSampler({ temperature: 0, topP: 0.1, seed: 5 })(logits(0, 1, 0.9))).toBe(1)
  })

  test('refuses a logit that is not a number', () => {
    expect(() => likeliest(logits(1, NaN))).toThrow(expect.objectContaining({ code: 'MODEL_FAILED' }))
  })
})

describe('top-k', () => {
  test('keeps the highest, in order of id, and all that equal the last of them', () => {
    expect(keepTopK(logits(5, 1, 4, 3, 9), 3)).toEqual([0, 2, 4])
    expect(keepTopK(logits(2, 2, 1, 2, 5), 2)).toEqual([0, 1, 3, 4])
  })

  test('keeps all where there are fewer', () => {
    expect(keepTopK(logits(5, 1), 3)).toEqual([0, 1])
  })

  test('agrees with sorting, on a vocabulary of random logits', () => {
    const sample = Float32Array.from({ length: 3000 }, (_, index) => Math.fround(Math.sin(index * 12.9898) * 43758.5453 % 1))
    const threshold = sample.toSorted((a, b) => b - a)[49] ?? NaN
    const expected = [...sample.keys()].filter((id) => (sample[id] ?? NaN) >= threshold)
    expect(keepTopK(sample, 50)).toEqual(expected)
  })
})

describe('top-p', () => {
  const candidates = [
    { id: 0, probability: 0.1 },
    { id: 1, probability: 0.5 },
    { id: 2, probability: 0.25 },
    { id: 3, probability: 0.15 },
  ]
  const kept = (topP: number): number[] => keepTopP(candidates, topP).map(({ id }) => id).sort()

  test('keeps the smallest set that reaches p, at least one', () => {
    expect(kept(0.01)).toEqual([1])
    expect(kept(0.5)).toEqual([1])
    expect(kept(0.6)).toEqual([1, 2])
    expect(kept(0.8)).toEqual([1, 2, 3])
    expect(kept(1)).toEqual([0, 1, 2, 3])
  })

  test('keeps the lower id where a choice between equals is needed', () => {
    const equal = [{ id: 4, probability: 0.5 }, { id: 8, probability: 0.5 }]
    expect(keepTopP(equal, 0.4).map(({ id }) => id)).toEqual([4])
  })
})

describe('a draw', () => {
  test('falls on candidates by their share, in order of id', () => {
    const candidates = [{ id: 9, probability: 0.3 }, { id: 2, probability: 0.1 }]
    expect([0, 0.24, 0.26, 0.999].map((position) => draw(candidates, position))).toEqual([2, 2, 9, 9])
  })

  test('takes the shares softmax gives, at a temperature', () => {
    const counts = [0, 0, 0]
    const sample = createSampler({ temperature: 2, topP: 1, seed: 11 })
    for (let round = 0; round < 20_000; round += 1) {
      const id = sample(logits(0, 2, 4))
      counts[id] = (counts[id] ?? 0) + 1
    }
    // softmax([0, 1, 2]), and five standard deviations of a count of 20,000.
    for (const [id, share] of [0.0900, 0.2447, 0.6652].entries()) {
      expect(Math.abs((counts[id] ?? 0) / 20_000 - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / 20_000))
    }
  })

  test('is the same for the same seed, and another for another', () => {
    const ids = (seed: number): number[] => {
      const sample = createSampler({ temperature: 1, topP: 0.9, seed })
      return Array.from({ length: 30 }, () => sample(logits(1, 2, 3, 2, 1)))
    }
    expect(ids(3)).toEqual(ids(3))
    expect(ids(3)).not.toEqual(ids(4))
    expect(ids(3)).not.toEqual(ids(3 + 2 ** 32))
  })
})
