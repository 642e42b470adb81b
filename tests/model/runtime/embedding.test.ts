import { expect, test } from 'vitest'
import { embedPrompt, embedTokens } from '../../../src/model/runtime/embedding.js'
import { layOutPrompt } from '../../../src/model/runtime/prompt-layout.js'
import { WIDTH, countingJob, fakeEmbedder } from './fake-model.js'

const limits = { maxPromptTokens: null, maxPositions: 100 }

test('looks ids up, and nothing where there is none', async () => {
  const embedder = fakeEmbedder()
  expect(Array.from(await embedTokens(embedder, [4, 5], WIDTH))).toEqual([4, 0, 5, 0])
  expect(await embedTokens(embedder, [], WIDTH)).toHaveLength(0)
  expect(embedder.runs).toHaveLength(1)
})

test('puts visual tokens in the place of the marker, with one look-up for both sides', async () => {
  const embedder = fakeEmbedder()
  const layout = layOutPrompt({ before: [7], after: [8, 9] }, 2, limits)
  expect(Array.from(await embedPrompt(embedder, layout, countingJob.visual))).toEqual([7, 0, 1, 2, 3, 4, 8, 0, 9, 0])
  expect(embedder.runs).toHaveLength(1)
})

test('leaves out what was cut', async () => {
  const layout = layOutPrompt({ before: [7], after: [8, 9] }, 2, { ...limits, maxPromptTokens: 2 })
  expect(Array.from(await embedPrompt(fakeEmbedder(), layout, countingJob.visual))).toEqual([7, 0, 1, 2])
})
