/** Where the model looked, against the attention of the original PyTorch code; and what is made of it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'

import { InferenceSession } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { type AnswerToExplain, explainAnswer } from '../../../src/model/explain/explain-answer.js'
import type { ExplainedAnswer } from '../../../src/model/explain/explained-answer.js'
import { openBundle } from '../../../src/model/runtime/bundle.js'
import { featuresAs } from '../../../src/model/feature-values.js'
import { type ConvertedCase, type ReferenceCase, convertCase, readCase } from '../../support/cases.js'
import { goldenTensor, readGolden, relativeError } from '../../support/golden.js'
import { float32Tensor, floats, openGraph } from '../../support/graphs.js'

const attention = new Map([...readGolden('attention.safetensors'), ...readGolden('attention-qformer.safetensors')])

function toExplain({ tensors, golden }: ReferenceCase, manifest: ConvertedCase['manifest']): AnswerToExplain & { readonly sequence: number } {
  const { question = '', tokens = [], sequenceLength = 0 } = golden.questions.plain ?? {}
  const { data, shape: [count = 0, tokensPerFrame = 0, width = 0] } = goldenTensor(tensors, 'features')
  const size = tokensPerFrame * width
  const frames = Array.from({ length: count }, (_, frame) => ({ data: Float32Array.from(data.slice(frame * size, (frame + 1) * size)), tokens: tokensPerFrame, width }))
  const { data: visual, shape: [visualTokens = 0] } = goldenTensor(tensors, 'connector')
  return {
    frames, question, tokenIds: tokens, template: golden.template, threads: 1, sequence: sequenceLength,
    visual: { data: Float32Array.from(visual), tokens: visualTokens, width: manifest.languageModel.width, connectMs: 0 },
  }
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, value) => all + value, 0)

/** Of a matrix, some columns of a row. */
const cut = (name: string, row: number, from: number, count: number): number[] => {
  const { data, shape: [, columns = 0] } = goldenTensor(attention, name)
  return Array.from(data.slice(row * columns + from, row * columns + from + count))
}

describe.each([
  { name: 'qwen2-group-uneven', parts: 5 },
  { name: 'qwen2-naive', parts: 1 },
  { name: 'picture-qformer', parts: 1 },
])('$name', ({ name, parts }) => {
  const reference = readCase(name)
  const before = (reference.golden.questions.plain?.promptIds ?? []).indexOf(-200)
  let bundle: ConvertedCase
  let asked: AnswerToExplain
  let explained: ExplainedAnswer
  beforeAll(async () => {
    bundle = await convertCase(reference, 'fused')
    asked = toExplain(reference, bundle.manifest)
    explained = await explainAnswer(bundle.directory, asked)
  })
  afterAll(() => { bundle.remove() })

  test('each token\'s share of the pictures is the original\'s', () => {
    const expected = asked.tokenIds.map((_, step) => sum(cut(`${name}.language`, step, before, asked.visual.tokens)))
    expect(relativeError(explained.tokens.map(({ pictureShare }) => pictureShare), expected)).toBeLessThan(1e-4)
  })

  test('the connector looks where the original does', async () => {
    const graph = await openGraph(bundle.directory, 'connector_explaining.onnx')
    const { data, shape } = goldenTensor(reference.tensors, 'features')
    const outputs = await graph({ features: float32Tensor(data, shape) })
    expect(relativeError(floats(outputs, 'visual_tokens'), asked.visual.data)).toBeLessThan(1e-4)
    const [graphParts = 0, queries = 0, context = 0] = outputs.attention?.dims ?? []
    const { data: looked, shape: [goldenParts, , longest = 0] } = goldenTensor(attention, `${name}.connector`)
    expect([graphParts, goldenParts]).toEqual([parts, parts])
    const own = floats(outputs, 'attention')
    const ours = Array.from({ length: parts * queries }, (_, row) => Array.from(own.slice(row * context, row * context + longest))).flat()
    expect(relativeError(ours, looked)).toBeLessThan(1e-4)
  })

  test('each token is traced back to the places the original looked at', () => {
    const { across, first } = bundle.manifest.explaining.patches
    const tokensPerFrame = bundle.manifest.visionTower.tokensPerFrame
    expect([across ** 2 - tokensPerFrame, first]).toEqual([1, 1])
    const expected = asked.tokenIds.map((_, step) => trace(name, cut(`${name}.language`, step, before, asked.visual.tokens), asked.frames.length * tokensPerFrame))
    explained.tokens.forEach(({ maps }, step) => {
      expect(maps).toHaveLength(asked.frames.length)
      expect(sum(maps.map((map) => sum(map)))).toBeCloseTo(1, 5)
      // The first patch has no token.
      expect(maps.every((map) => map.length === across ** 2 && map[0] === 0)).toBe(true)
      expect(relativeError(maps.flatMap((map) => [...map.slice(1)]), expected[step] ?? []), `token ${step}`).toBeLessThan(1e-4)
    })
  })

  test('tokens are as likely as the original says, beside the five likeliest others', () => {
    explained.tokens.forEach(({ probability, others }, step) => {
      const { data, shape: [, vocabulary = 0] } = goldenTensor(attention, `${name}.probabilities`)
      const row = Array.from(data.slice(step * vocabulary, (step + 1) * vocabulary))
      const id = asked.tokenIds[step] ?? NaN
      expect(probability).toBeCloseTo(row[id] ?? NaN, 5)
      const best = row.filter((_, token) => token !== id).sort((a, b) => b - a).slice(0, 5)
      expect(relativeError(others.map((other) => other.probability), best)).toBeLessThan(1e-3)
    })
  })
})

/** What the goldens say of each token of a clip, from the language model's look at the visual tokens. */
function trace(name: string, weights: readonly number[], count: number): number[] {
  const { data, shape: [parts = 1, queries = 1, longest = 1] } = goldenTensor(attention, `${name}.connector`)
  const places = new Array<number>(count).fill(0)
  let start = 0
  for (let part = 0; part < parts; part += 1) {
    const length = Math.floor(count / parts) + (part < count % parts ? 1 : 0)
    for (let query = 0; query < queries; query += 1) {
      const row = data.slice((part * queries + query) * longest, (part * queries + query) * longest + length)
      row.forEach((share, at) => {
        places[start + at] = (places[start + at] ?? 0) + ((weights[part * queries + query] ?? NaN) * share) / sum(row)
      })
    }
    start += length
  }
  return places.map((place) => place / sum(weights))
}

describe('a connector without attention', () => {
  const reference = readCase('llama')
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(reference, 'fused') })
  afterAll(() => { bundle.remove() })

  test('has no graph that says where it looks; each visual token is a place by itself', async () => {
    expect(bundle.manifest.explaining.looks).toBe(false)
    expect(Object.keys(bundle.manifest.files)).not.toContain('connector_explaining.onnx')
    const { tokens } = await explainAnswer(bundle.directory, toExplain(reference, bundle.manifest))
    for (const { maps, pictureShare } of tokens) {
      expect(maps).toHaveLength(1)
      expect(sum(maps[0] ?? [])).toBeCloseTo(1, 5)
      expect(pictureShare).toBeGreaterThan(0)
    }
  })

  test('a long answer has maps of its first tokens and of the whole, and is run in pieces', async () => {
    const asked = toExplain(reference, bundle.manifest)
    const tokenIds = Array.from({ length: 150 }, (_, token) => 200 + token)
    const long = await explainAnswer(bundle.directory, { ...asked, tokenIds, mostMaps: 3 })
    expect(long.tokens.map(({ maps }) => maps.length)).toEqual(tokenIds.map((_, token) => (token < 3 ? 1 : 0)))
    expect(sum(long.maps[0] ?? [])).toBeCloseTo(1, 5)
    // What comes later changes nothing, on whichever side of a piece's end.
    const shorter = await explainAnswer(bundle.directory, { ...asked, tokenIds: tokenIds.slice(0, 130), mostMaps: 130 })
    expect(relativeError(shorter.tokens.map(({ probability }) => probability), long.tokens.slice(0, 130).map(({ probability }) => probability))).toBeLessThan(1e-4)
    const mass = shorter.tokens.map(({ pictureShare }) => pictureShare)
    const expected = (shorter.maps[0] ?? []).map((_, place) =>
      sum(shorter.tokens.map(({ maps }, token) => (maps[0]?.[place] ?? NaN) * (mass[token] ?? NaN))) / sum(mass))
    expect(relativeError([...(shorter.maps[0] ?? [])], [...expected])).toBeLessThan(1e-4)
  })

  test('names special tokens, and shows white space as it is', async () => {
    const { tokens } = await explainAnswer(bundle.directory, { ...toExplain(reference, bundle.manifest), tokenIds: [220, 600] })
    expect(tokens[1]?.text).toBe('<|endoftext|>')
    expect(tokens.every(({ others }) => others.length === 5)).toBe(true)
  })

  test('gives back the memory of every graph it opened, and stops where it is told to', async () => {
    const asked = toExplain(reference, bundle.manifest)
    const create = InferenceSession.create.bind(InferenceSession) as (...args: unknown[]) => Promise<InferenceSession>
    const released: unknown[] = []
    const opened = vi.spyOn(InferenceSession, 'create').mockImplementation(async (...args: unknown[]) => {
      const session = await create(...args)
      vi.spyOn(session, 'release').mockImplementation(() => { released.push(session); return Promise.resolve() })
      return session
    })
    await explainAnswer(bundle.directory, asked)
    expect(released).toHaveLength(2)
    expect(opened).toHaveBeenCalledTimes(2)
    opened.mockRestore()
    const signal = AbortSignal.abort()
    await expect(explainAnswer(bundle.directory, { ...asked, signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('refuses an answer without tokens, and an unknown template', async () => {
    const asked = toExplain(reference, bundle.manifest)
    await expect(explainAnswer(bundle.directory, { ...asked, tokenIds: [] })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(explainAnswer(bundle.directory, { ...asked, template: 'alpaca' })).rejects.toMatchObject({ code: 'PART_UNKNOWN' })
  })

  test('a bundle whose explaining decoder was lost is damaged', async () => {
    const lost = await convertCase(reference, 'fused')
    rmSync(join(lost.directory, 'decoder_explaining.onnx'))
    await expect(openBundle(lost.directory)).rejects.toMatchObject({ code: 'BUNDLE_DAMAGED' })
    lost.remove()
  })
})

test('features in float16 are followed to the places that those in float32 are', async () => {
  const reference = readCase('qwen2-naive')
  const maps = async (visionPrecision: 'fp32' | 'fp16'): Promise<readonly number[]> => {
    const bundle = await convertCase(reference, 'fused', { visionPrecision })
    const asked = toExplain(reference, bundle.manifest)
    const frames = asked.frames.map((frame) => ({ ...frame, data: featuresAs(bundle.manifest.visionTower.features, frame.data) }))
    const { tokens } = await explainAnswer(bundle.directory, { ...asked, frames }).finally(() => { bundle.remove() })
    return tokens.flatMap((token) => token.maps.flatMap((map) => [...map]))
  }
  expect(relativeError(await maps('fp16'), await maps('fp32'))).toBeLessThan(2e-3)
})
