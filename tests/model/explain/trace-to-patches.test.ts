import { expect, test } from 'vitest'

import { lookedSources, ownSources, traceToPatches } from '../../../src/model/explain/trace-to-patches.js'

const clip = { frames: 2, tokensPerFrame: 3 }
const numbers = (maps: readonly Float32Array[]): number[][] => maps.map((map) => [...map].map((value) => Number(value.toFixed(4))))

test('the first parts have one token more, padding and latents are not the picture, and an empty part is nothing', () => {
  // 6 tokens in 4 parts: 2, 2, 1, 1; one query each; a context of 2 tokens and 1 latent.
  const data = Float32Array.of(0.1, 0.3, 0.6, 0.2, 0.2, 0.6, 0.5, 9, 0.5, 0, 9, 1)
  const sourceOf = lookedSources({ data, parts: 4, queries: 1, context: 3 }, clip)
  expect([0, 1, 2, 3].map((visual) => sourceOf(visual).start)).toEqual([0, 2, 4, 5])
  const sharesOf = (visual: number): number[] => [...sourceOf(visual).looks].map((look) => Number((look * sourceOf(visual).scale).toFixed(4)))
  expect([0, 2, 3].map(sharesOf)).toEqual([[0.25, 0.75], [1], [0]])
})

test('tokens of two towers that lie side by side are of one place', () => {
  const sourceOf = ownSources(12, clip)
  expect([0, 1, 2, 11].map((visual) => sourceOf(visual).start)).toEqual([0, 0, 1, 5])
})

test('places begin with the patch that the first token stands for; class tokens stand for none', () => {
  const weights = Float32Array.of(1, 2, 3, 0, 4, 0)
  const own = ownSources(6, clip)
  expect(numbers(traceToPatches(weights, own, clip, { across: 2, first: 1 }))).toEqual([[0, 0.1, 0.2, 0.3], [0, 0, 0.4, 0]])
  expect(numbers(traceToPatches(weights, own, clip, { across: 2, first: -1 })))
    .toEqual([[2 / 9, 3 / 9, 0, 0], [4 / 9, 0, 0, 0]].map((map) => map.map((value) => Number(value.toFixed(4)))))
})

test('a prompt whose visual tokens were cut, or that looked at none, still has its maps', () => {
  const own = ownSources(6, clip)
  expect(numbers(traceToPatches(Float32Array.of(1), own, clip, { across: 2, first: 0 }))).toEqual([[1, 0, 0, 0], [0, 0, 0, 0]])
  expect(numbers(traceToPatches(Float32Array.of(0, 0), own, clip, { across: 2, first: 0 }))).toEqual([[0, 0, 0, 0], [0, 0, 0, 0]])
})
