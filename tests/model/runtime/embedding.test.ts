import { expect, test } from 'vitest'
import { embedTokens } from '../../../src/model/runtime/embedding.js'
import { WIDTH, fakeEmbedder } from './fake-model.js'

test('looks ids up, and nothing where there is none', async () => {
  const embedder = fakeEmbedder()
  expect(Array.from(await embedTokens(embedder, [4, 5], WIDTH))).toEqual([4, 0, 5, 0])
  expect(await embedTokens(embedder, [], WIDTH)).toHaveLength(0)
  expect(embedder.runs).toHaveLength(1)
})
