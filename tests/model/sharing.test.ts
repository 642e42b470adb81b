/** What is shared between questions, clips and frames changes no answer: through the worker, against each by itself. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { loadRuntime } from '../../src/model/load.js'
import type { Model, VisualTokens } from '../../src/model/model.js'
import { floatFeatures } from '../../src/model/feature-values.js'
import { type ConvertedCase, convertCase, readCase } from '../support/cases.js'
import { framesOf } from '../support/pictures.js'

describe.each(['qwen2-group-16', 'phi-naive', 'qwen2-group-uneven'])('%s', (name) => {
  const reference = readCase(name)
  const { questions, newTokens } = reference.golden
  const asked = Object.values(questions)
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(reference, 'fused') })
  afterAll(() => { bundle.remove() })

  async function withModel<Result>(limits: Parameters<typeof loadRuntime>[1], work: (model: Model) => Promise<Result>): Promise<Result> {
    const model = await loadRuntime(bundle.directory, { threads: 2, ...limits })
    try {
      return await work(model)
    } finally {
      await model.dispose()
    }
  }

  const clip = async (model: Model, count?: number): Promise<VisualTokens> =>
    model.connect(await model.encode(framesOf(reference).slice(0, count)))

  test('questions asked at once, about two clips, get the tokens that each gets alone', async () => {
    // Turns of no time: a prompt's chunk and a step each, so that answers of all lengths meet.
    await withModel({ limits: { maxBurstMs: 0 } }, async (model) => {
      const clips = [await clip(model), await clip(model, 2)]
      const ask = (visual: VisualTokens, question: string) => model.generate(visual, question, { maxNewTokens: newTokens })
      const pairs = clips.flatMap((visual) => asked.map(({ question }) => ({ visual, question })))
      const alone: (readonly number[])[] = []
      for (const { visual, question } of pairs) alone.push((await ask(visual, question)).tokenIds)
      const together = await Promise.all(pairs.map(({ visual, question }) => ask(visual, question)))
      expect(together.map(({ tokenIds }) => tokenIds)).toEqual(alone)
      expect(alone.slice(0, asked.length)).toEqual(asked.map(({ tokens }) => tokens))
    })
  })

  test('chunks of any size, one answer at a time and no memory for prefixes: the same tokens', async () => {
    for (const limits of [{ prefillChunk: 3 }, { prefillChunk: 1000, maxAnswers: 1 }, { prefixCacheMb: 0, maxBurstMs: 0 }]) {
      await withModel({ limits }, async (model) => {
        const visual = await clip(model)
        const answers = await Promise.all(asked.map(({ question }) => model.generate(visual, question, { maxNewTokens: newTokens })))
        expect(answers.map(({ tokenIds }) => tokenIds), JSON.stringify(limits)).toEqual(asked.map(({ tokens }) => tokens))
      })
    }
  })

  test('pictures that share a run of the tower have the features that each has alone', async () => {
    const pictures = framesOf(reference)
    const alone = await withModel({}, (model) => model.encode(pictures))
    const together = await withModel({ limits: { maxVisionBatch: 4 } }, async (model) => {
      const calls = await Promise.all(pictures.map((picture) => model.encode([picture])))
      return calls.flat()
    })
    for (const [place, { data }] of together.entries()) {
      const expected = floatFeatures(alone[place]?.data ?? new Float32Array())
      const worst = floatFeatures(data).reduce((most, value, at) => Math.max(most, Math.abs(value - (expected[at] ?? NaN))), 0)
      expect(worst).toBeLessThan(1e-5)
    }
  })
})

describe.each([
  ['qwen2-group-16', 16, 'fp32'], ['picture-mlp2x', 3, 'fp32'], ['qwen2-group-16', 16, 'int8'], ['phi-naive', 3, 'int8'],
] as const)('windows of %s that overlap', (name, length, precision) => {
  const reference = readCase(name)
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(reference, 'fused', { precision }) })
  afterAll(() => { bundle.remove() })

  test(`of ${length} frames in ${precision}: features take ${precision === 'fp32' ? 'four bytes' : 'two bytes'} a value`, async () => {
    const model = await loadRuntime(bundle.directory, { threads: 2 })
    const [frame] = await model.encode(framesOf(reference).slice(0, 1))
    await model.dispose()
    expect(frame?.data.byteLength).toBe((frame?.tokens ?? NaN) * (frame?.width ?? NaN) * (precision === 'fp32' ? 4 : 2))
  })

  test('are connected to the very bits, and answered with the very tokens, of each window encoded afresh', async () => {
    const [first] = framesOf(reference)
    if (first === undefined) throw new Error('The case has no frame.')
    // More frames than a window has: each a little brighter than the one before.
    const pictures = Array.from({ length: length + 3 }, (_, step) => ({ ...first, data: first.data.map((value) => value + step * 3) }))
    const windows = [0, 1, 2, 3].map((start) => ({ start, end: start + length }))
    const answer = async (model: Model, visual: VisualTokens) => {
      const { tokenIds } = await model.generate(visual, 'What happens?', { maxNewTokens: 12 })
      return { bits: new Uint32Array(visual.data.buffer), tokenIds }
    }

    const sliding = await loadRuntime(bundle.directory, { threads: 2 })
    const frames = await sliding.encode(pictures)
    const shared = []
    for (const { start, end } of windows) shared.push(await answer(sliding, await sliding.connect(frames.slice(start, end))))
    await sliding.dispose()

    for (const [place, { start, end }] of windows.entries()) {
      const fresh = await loadRuntime(bundle.directory, { threads: 2 })
      const visual = await fresh.connect(await fresh.encode(pictures.slice(start, end)))
      expect(await answer(fresh, visual)).toEqual(shared[place])
      await fresh.dispose()
    }
  })
})
