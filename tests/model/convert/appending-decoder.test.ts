/**
 * The decoder whose cache stays with the caller, against the one whose cache comes out whole: what the
 * second gives is held against the original PyTorch code in `stages.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { cacheParts } from '../../support/cache-parts.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { relativeError } from '../../support/golden.js'
import { type RunGraph, float32Tensor, floats, int64Tensor, openGraph } from '../../support/graphs.js'

/** Rows of the cache; more than any test fills. */
const ROOM = 32

describe.each(['qwen2-group-16', 'phi-naive', 'gemma', 'stablelm-parallel', 'openelm-untied'])('%s', (name) => {
  let bundle: ConvertedCase
  let grown: RunGraph
  let appending: RunGraph
  beforeAll(async () => {
    bundle = await convertCase(readCase(name), 'fused')
    grown = await openGraph(bundle.directory, 'decoder_model_merged.onnx')
    appending = await openGraph(bundle.directory, 'decoder_appending.onnx')
  })
  afterAll(() => {
    bundle.remove()
  })

  const shape = () => bundle.manifest.languageModel

  /** Some embeddings, the same for the same seed. */
  const embeddings = (rows: number, seed: number): Float32Array =>
    Float32Array.from({ length: rows * shape().width }, (_, index) => Math.sin(index * 0.7 + seed))

  /** Logits of every row by the grown decoder, in one run. */
  async function expected(rows: Float32Array): Promise<Float32Array> {
    const { width, headSize } = shape()
    const count = rows.length / width
    const empty = (heads: number) => float32Tensor([], [1, heads, 0, headSize])
    return floats(await grown({
      inputs_embeds: float32Tensor(rows, [1, count, width]),
      attention_mask: int64Tensor(new Array<number>(count).fill(1), [1, count]),
      num_logits_to_keep: int64Tensor([count], []),
      ...Object.fromEntries(cacheParts(shape()).map(({ name: cache, heads }) => [`past_key_values.${cache}`, empty(heads)])),
    }), 'logits')
  }

  /** Sequences side by side, whose caches are written by hand. */
  function start(batch: number, decoder = appending) {
    const { width, headSize } = shape()
    // What was never written must not be looked at.
    const caches = cacheParts(shape()).map((part) => ({ ...part, data: new Float32Array(batch * part.heads * ROOM * headSize).fill(7) }))
    const lengths = new Array<number>(batch).fill(0)
    let looked: readonly number[] = []
    const run = async (rows: readonly Float32Array[]): Promise<Float32Array> => {
      const count = (rows[0]?.length ?? 0) / width
      const outputs = await decoder({
        inputs_embeds: float32Tensor(rows.flatMap((row) => [...row]), [batch, count, width]),
        past_lengths: int64Tensor(lengths, [batch]),
        num_logits_to_keep: int64Tensor([count], []),
        ...Object.fromEntries(caches.map(({ name: cache, heads, data }) => [
          `past_key_values.${cache}`, float32Tensor(data, [batch, heads, ROOM, headSize]),
        ])),
      })
      for (const { name: cache, heads, data } of caches) {
        const fresh = floats(outputs, `present.${cache}`)
        for (let head = 0; head < batch * heads; head += 1) {
          const from = head * count * headSize
          const at = lengths[Math.floor(head / heads)] ?? 0
          data.set(fresh.subarray(from, from + count * headSize), (head * ROOM + at) * headSize)
        }
      }
      lengths.forEach((length, sequence) => (lengths[sequence] = length + count))
      looked = outputs.attention === undefined ? [] : [...floats(outputs, 'attention')]
      return floats(outputs, 'logits')
    }
    return { run, lengths, looked: () => looked }
  }

  test.each([[[20]], [[7, 13]], [[1, 1, 18]], [[16, 1, 1, 1, 1]]])('cut into runs of %j rows', async (counts) => {
    const { width, vocabularySize } = shape()
    const rows = embeddings(20, 1)
    const whole = await expected(rows)
    const { run } = start(1)
    let at = 0
    for (const count of counts) {
      const logits = await run([rows.subarray(at * width, (at + count) * width)])
      expect(relativeError(logits, whole.subarray(at * vocabularySize, (at + count) * vocabularySize))).toBeLessThan(1e-5)
      at += count
    }
  })

  test('the one that says where it looks predicts the same, and looks at nothing but what is there', async () => {
    const { width } = shape()
    const explaining = await openGraph(bundle.directory, 'decoder_explaining.onnx')
    const [plain, watched] = [start(1), start(1, explaining)]
    const rows = embeddings(9, 3)
    for (const part of [rows.subarray(0, 6 * width), rows.subarray(6 * width)]) {
      expect(relativeError(await watched.run([part]), await plain.run([part]))).toBeLessThan(1e-6)
    }
    const looked = watched.looked()
    expect(looked).toHaveLength(3 * (ROOM + 3))
    for (const [row, seen] of [7, 8, 9].entries()) {
      const look = looked.slice(row * (ROOM + 3), (row + 1) * (ROOM + 3))
      expect(look.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5)
      expect(look.filter((share) => share > 0)).toHaveLength(seen)
      expect(look.slice(6, ROOM).every((share) => share === 0)).toBe(true)
    }
  })

  test('sequences of any lengths run side by side, and what lies behind them is not looked at', async () => {
    const { width, vocabularySize } = shape()
    const [first, second] = [embeddings(7, 1), embeddings(7, 2)]
    const { run, lengths } = start(2)
    await run([first.subarray(0, 6 * width), second.subarray(0, 6 * width)])
    lengths[0] = 2
    const logits = await run([first.subarray(2 * width, 3 * width), second.subarray(6 * width)])
    const [shorter, longer] = [await expected(first.subarray(0, 3 * width)), await expected(second)]
    expect(relativeError(logits.subarray(0, vocabularySize), shorter.subarray(2 * vocabularySize))).toBeLessThan(1e-5)
    expect(relativeError(logits.subarray(vocabularySize), longer.subarray(6 * vocabularySize))).toBeLessThan(1e-5)
  })
})
