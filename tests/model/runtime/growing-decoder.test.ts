import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { createGrowingDecoder } from '../../../src/model/runtime/growing-decoder.js'
import { VOCABULARY, fakeSession, floatPrecisions, languageModel } from './fake-model.js'

const values = (tensor: Tensor | undefined): number[] => Array.from(tensor?.data as Float32Array)

/** A decoder whose cache holds all ids so far; `caches` keeps each cache it gave. */
function fakeGraph(left?: string) {
  const caches: Tensor[] = []
  const session = fakeSession('decoder', ({ inputs_embeds: embeddings, 'past_key_values.0.key': past }) => {
    const seen = [...values(past), ...values(embeddings).filter((_, index) => index % 2 === 0)]
    const cache = new Tensor('float32', Float32Array.from(seen), [1, 1, seen.length, 1])
    caches.push(cache)
    const logits = new Tensor('float32', new Float32Array(VOCABULARY).fill(seen.length), [1, 1, VOCABULARY])
    const outputs = { logits, 'present.0.key': cache, 'present.0.value': cache }
    return Object.fromEntries(Object.entries(outputs).filter(([name]) => name !== left))
  })
  return { session, caches, decoder: createGrowingDecoder({ session, manifest: { languageModel, precisions: floatPrecisions } }) }
}

test('appending in parts carries the cache, and frees each one that it replaces', async () => {
  const { decoder, caches, session } = fakeGraph()
  const sequence = decoder.begin(10)
  await sequence.append(Float32Array.of(5, 0, 6, 0))
  await sequence.append(Float32Array.of(7, 0))
  expect(sequence.length).toBe(3)
  expect(session.runs.map(({ attention_mask: mask }) => mask?.dims)).toEqual([[1, 2], [1, 3]])
  expect(() => caches[0]?.data).toThrow('disposed')
  expect(values(caches[1])).toEqual([5, 6, 7])
  sequence.dispose()
  expect(() => caches[1]?.data).toThrow('disposed')
})

test('a prefix outlives its sequence, and is freed when nobody begins with it any more', async () => {
  const { decoder, caches } = fakeGraph()
  const first = decoder.begin(10)
  await first.append(Float32Array.of(5, 0))
  const prefix = first.prefix()
  await first.append(Float32Array.of(6, 0))
  first.dispose()
  expect(prefix).toMatchObject({ length: 1, bytes: 8 })
  const second = prefix.begin(10)
  prefix.dispose()
  expect(values(caches[0])).toEqual([5])
  await second.append(Float32Array.of(9, 0))
  expect(values(caches[2])).toEqual([5, 9])
  expect(() => caches[0]?.data).toThrow('disposed')
})

test('begins with as many heads as each layer has, and counts the memory of all', async () => {
  const session = fakeSession('decoder', ({ inputs_embeds: embeddings }) => {
    const cache = (heads: number): Tensor => new Tensor('float32', new Float32Array(heads), [1, heads, 1, 1])
    const ofLayers = [1, 3].flatMap((heads, layer) => ['key', 'value'].map((kind) => [`present.${layer}.${kind}`, cache(heads)] as const))
    const logits = new Tensor('float32', new Float32Array(VOCABULARY).fill(embeddings?.dims[1] ?? 0), [1, 1, VOCABULARY])
    return { logits, ...Object.fromEntries(ofLayers) }
  })
  const manifest = { languageModel: { ...languageModel, keyValueHeads: [1, 3] }, precisions: floatPrecisions }
  const sequence = createGrowingDecoder({ session, manifest }).begin(10)
  await sequence.append(Float32Array.of(5, 0))
  const [feeds] = session.runs
  expect([0, 1].map((layer) => feeds?.[`past_key_values.${layer}.value`]?.dims)).toEqual([[1, 1, 0, 1], [1, 3, 0, 1]])
  expect(sequence.prefix().bytes).toBe(2 * (1 + 3) * 4)
})

test('sequences step one after another, each with its own row', async () => {
  const { decoder, caches } = fakeGraph()
  const sequences = [decoder.begin(10), decoder.begin(10)]
  await sequences[0]?.append(Float32Array.of(1, 0))
  const logits = await decoder.step(sequences, Float32Array.of(2, 0, 3, 0))
  expect(logits.map((row) => row[0])).toEqual([2, 1])
  expect(caches.slice(1).map(values)).toEqual([[1, 2], [3]])
})

test.each(['present.0.value', 'logits'])('a graph without %s is MODEL_FAILED', async (name) => {
  const sequence = fakeGraph(name).decoder.begin(10)
  await expect(sequence.append(Float32Array.of(1, 0))).rejects.toMatchObject({
    code: 'MODEL_FAILED',
    message: expect.stringContaining(`\`${name}\``) as unknown,
  })
})
