/**
 * Every graph against the original PyTorch code, stage by stage: each stage is fed the golden output of
 * the stage before it, so that an error shows where it is made.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { padToSquare } from '../../../src/model/runtime/pad-to-square.js'
import { cacheParts } from '../../support/cache-parts.js'
import { type ConvertedCase, IMAGE_MARKER, caseNames, convertCase, readCase } from '../../support/cases.js'
import { goldenLevels, goldenPixels, isDark } from '../../support/golden-pixels.js'
import { goldenTensor, relativeError } from '../../support/golden.js'
import { type RunGraph, bytes, float32Tensor, floats, int64Tensor, openGraph, uint8Tensor } from '../../support/graphs.js'
import { framesOf } from '../../support/pictures.js'

const lowerings = ['fused', 'primitive'] as const

describe.each(caseNames.flatMap((name) => lowerings.map((lowering) => ({ name, lowering }))))('$name, $lowering attention', ({ name, lowering }) => {
  const reference = readCase(name)
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(reference, lowering) })
  afterAll(() => { bundle.remove() })

  test('pixels are off by at most 1/255 in at most 0.1 % of the values', async () => {
    const preprocess = await openGraph(bundle.directory, 'preprocess.onnx')
    const { visionTower } = bundle.manifest
    const expected = goldenPixels(reference, visionTower)
    let off = 0
    let worst = 0
    for (const [index, frame] of framesOf(reference).entries()) {
      const { padColour } = visionTower
      const { data, height, width } = frame.kind === 'picture' && padColour ? padToSquare(frame, padColour) : frame
      const outputs = await preprocess({ frame: uint8Tensor(data, [1, height, width, 3]) })
      expect(bytes(outputs, 'near_black')[0] === 1).toBe(isDark(reference, index))
      bytes(outputs, 'pixels').forEach((value, at) => {
        const difference = Math.abs(value - (expected[index]?.[at] ?? NaN))
        worst = Math.max(worst, difference)
        off += difference === 0 ? 0 : 1
      })
    }
    expect(worst).toBeLessThanOrEqual(1)
    expect(off).toBeLessThanOrEqual(0.001 * expected.flat().length)
  })

  test('features are within 1e-4', async () => {
    const vision = await openGraph(bundle.directory, 'vision_encoder.onnx')
    const { visionTower } = bundle.manifest
    const size = visionTower.imageSize
    const pixels = goldenPixels(reference, visionTower)
    const outputs = await vision({
      pixels: uint8Tensor(pixels.flat(), [pixels.length, size, size, 3]),
      levels: int64Tensor(goldenLevels(reference), [pixels.length]),
    })
    expect(relativeError(floats(outputs, 'features'), goldenTensor(reference.tensors, 'features').data)).toBeLessThan(1e-4)
  })

  test('visual tokens are within 1e-4, for all frames and for fewer', async () => {
    const connector = await openGraph(bundle.directory, 'connector.onnx')
    const features = goldenTensor(reference.tensors, 'features')
    const [count = 0, tokens = 0, width = 0] = features.shape
    for (const [key, expected] of reference.tensors) {
      if (!key.startsWith('connector')) continue
      const used = key === 'connector' ? count : Number(key.replace('connector.frames_', ''))
      const outputs = await connector({ features: float32Tensor(features.data.slice(0, used * tokens * width), [used, tokens, width]) })
      expect(relativeError(floats(outputs, 'visual_tokens'), expected.data), key).toBeLessThan(1e-4)
    }
  })

  test.each(Object.keys(reference.golden.questions))('question "%s": logits within 1e-3, 24 token ids identical', async (key) => {
    const question = reference.golden.questions[key]
    if (question === undefined) throw new Error('unreachable')
    const model = await openLanguageModel(bundle)
    const prompt = await model.embedPrompt(question.promptIds, goldenTensor(reference.tensors, 'connector').data)
    expect(prompt.length / model.width).toBe(question.sequenceLength)
    const kept = goldenTensor(reference.tensors, `logits.${key}`)
    const prefill = await model.run(prompt, kept.shape[0] ?? 0)
    expect(relativeError(prefill, kept.data)).toBeLessThan(1e-3)
    const tokens = [argmax(prefill.slice(-model.vocabulary))]
    while (tokens.length < question.tokens.length) {
      tokens.push(argmax(await model.run(await model.embed([tokens.at(-1) ?? 0]), 1)))
    }
    expect(tokens).toEqual(question.tokens)
  })

  test('decoding with the cache gives what decoding without it gives', async () => {
    const [question] = Object.values(reference.golden.questions)
    if (question === undefined) throw new Error('unreachable')
    const [cached, uncached] = await Promise.all([openLanguageModel(bundle), openLanguageModel(bundle)])
    const prompt = await cached.embedPrompt(question.promptIds, goldenTensor(reference.tensors, 'connector').data)
    const answer = await cached.embed(question.tokens.slice(0, 4))
    await cached.run(prompt, 1)
    let last = new Float32Array()
    for (let index = 0; index < 4; index += 1) {
      last = new Float32Array(await cached.run(answer.slice(index * cached.width, (index + 1) * cached.width), 1))
    }
    expect(relativeError(last, await uncached.run(joined(prompt, answer), 1))).toBeLessThan(1e-5)
  })
})

const joined = (...parts: readonly ArrayLike<number>[]): Float32Array => Float32Array.from(parts.flatMap((part) => Array.from(part)))

const argmax = (values: Float32Array): number => values.reduce((best, value, index) => (value > (values[best] ?? NaN) ? index : best), 0)

/** The two text graphs, with the cache carried from run to run. */
async function openLanguageModel({ directory, manifest }: ConvertedCase) {
  const [embedGraph, decoder] = await Promise.all([openGraph(directory, 'embed_tokens.onnx'), openGraph(directory, 'decoder_model_merged.onnx')])
  const { width, headSize, vocabularySize, maxPromptTokens } = manifest.languageModel
  const parts = cacheParts(manifest.languageModel)
  let cache: Parameters<RunGraph>[0] = Object.fromEntries(
    parts.map(({ name, heads }) => [`past_key_values.${name}`, float32Tensor([], [1, heads, 0, headSize])]),
  )
  let length = 0

  const embed = async (ids: readonly number[]): Promise<Float32Array> =>
    ids.length === 0 ? new Float32Array() : floats(await embedGraph({ input_ids: int64Tensor(ids, [1, ids.length]) }), 'inputs_embeds')

  return {
    width,
    vocabulary: vocabularySize,
    embed,
    embedPrompt: async (ids: readonly number[], visual: ArrayLike<number>): Promise<Float32Array> => {
      const at = ids.indexOf(IMAGE_MARKER)
      const [before, after] = [await embed(ids.slice(0, at)), await embed(ids.slice(at + 1))]
      const whole = joined(before, visual, after)
      return whole.slice(0, (maxPromptTokens ?? Infinity) * width)
    },
    run: async (embeddings: Float32Array, kept: number): Promise<Float32Array> => {
      const sequence = embeddings.length / width
      length += sequence
      const outputs = await decoder({
        inputs_embeds: float32Tensor(embeddings, [1, sequence, width]),
        attention_mask: int64Tensor(new Array<number>(length).fill(1), [1, length]),
        num_logits_to_keep: int64Tensor([kept], []),
        ...cache,
      })
      cache = Object.fromEntries(parts.map(({ name }) => [`past_key_values.${name}`, outputs[`present.${name}`]])) as typeof cache
      return floats(outputs, 'logits')
    },
  }
}
