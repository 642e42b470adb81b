import { expect, test } from 'vitest'
import { startSequence } from '../../../src/model/runtime/decoder.js'
import { fakeDecoder, fakeSession, languageModel } from './fake-model.js'

test('appending in parts carries the cache, and frees each one that it replaces', async () => {
  const decoder = fakeDecoder()
  const sequence = startSequence(decoder, languageModel)
  await sequence.append(Float32Array.of(5, 0, 6, 0))
  await sequence.append(Float32Array.of(7, 0))
  const logits = await sequence.append(Float32Array.of(8, 0))

  expect(sequence.length).toBe(4)
  expect(logits.indexOf(9)).toBe(9)
  const [first, second, third] = decoder.caches
  expect(() => first?.data).toThrow('disposed')
  expect(() => second?.data).toThrow('disposed')
  expect(Array.from(third?.data as Float32Array)).toEqual([5, 6, 7, 8])
  sequence.dispose()
  expect(() => third?.data).toThrow('disposed')
})

test('a graph without a cache output, or with logits of another size, is MODEL_FAILED', async () => {
  const complete = fakeDecoder()
  const without = (name: string) =>
    fakeSession('decoder', async (feeds) => {
      const outputs = await complete.run(feeds)
      return Object.fromEntries(Object.entries(outputs).filter(([key]) => key !== name))
    })
  for (const name of ['present.0.value', 'logits']) {
    const sequence = startSequence(without(name), languageModel)
    await expect(sequence.append(Float32Array.of(1, 0))).rejects.toMatchObject({
      code: 'MODEL_FAILED',
      message: expect.stringContaining(`\`${name}\``) as unknown,
    })
  }
})
