/** The parity kit in short form: precisions of the demo model on clips it never saw, and what it says of wrong models. */
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { drawnClips } from '../../../scripts/demo-model/drawn-clips.js'
import { type ConvertOptions, convertCheckpoint } from '../../../src/model/convert.js'
import { type VerifyClip, compareModels } from '../../../src/model/verify/compare.js'
import { type Stages, openStages } from '../../../src/model/verify/stages.js'
import { readCase } from '../../support/cases.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'

const demo = fileURLToPath(new URL('../../../models/demo', import.meta.url))
const FIRST_SEED = 9_700_000

let folder: TemporaryFolder
let expected: Stages
beforeAll(async () => {
  folder = temporaryFolder()
  expected = await open({})
})
afterAll(() => { folder.remove() })

async function open(options: ConvertOptions, checkpoint = demo): Promise<Stages> {
  const out = folder.file(`${Object.values(options).join('-')}-${checkpoint.length}`)
  await convertCheckpoint(checkpoint, out, options)
  return openStages(out)
}

test('a model is the same as itself', async () => {
  const comparison = await compareModels({ found: expected, expected }, drawnClips(FIRST_SEED, 2))
  const same = { worstCosine: expect.closeTo(1, 6) as number, meanError: 0, worstError: 0 }
  expect(comparison.stages).toEqual({ features: same, visualTokens: same, logits: same })
  expect(comparison.divergence).toEqual({ mean: 0, worst: 0 })
  expect([comparison.clips, comparison.answers.share, comparison.nextTokens.share]).toEqual([2, 1, 1])
  expect(comparison.answers.total).toBe(comparison.pairs)
})

// The long form, on more than 1,000 pairs: `npm run parity:demo`.
test.each([
  { precision: 'fp16', atLeast: 0.99 },
  { precision: 'int8', atLeast: 0.99 },
  { precision: 'int4', atLeast: 0.95 },
] as const)('$precision gives nearly all answers of float32, and what it loses is seen', async ({ precision, atLeast }) => {
  const comparison = await compareModels({ found: await open({ precision }), expected }, drawnClips(FIRST_SEED, 12))
  expect(comparison.pairs).toBeGreaterThan(50)
  expect(comparison.answers.share).toBeGreaterThanOrEqual(atLeast)
  expect(comparison.stages.logits.worstCosine).toBeGreaterThan(0.95)
  expect(comparison.stages.logits.meanError).toBeGreaterThan(0)
  expect(comparison.divergence.mean).toBeGreaterThan(0)
})

describe('what is wrong is seen', () => {
  test('a tower that is off shows in the features, and in no stage behind it', async () => {
    const dim: Stages = {
      ...expected,
      encode: async (pictures) => (await expected.encode(pictures)).map((frame) => ({ ...frame, data: frame.data.map((value) => value * 1.5) })),
    }
    const { stages } = await compareModels({ found: dim, expected }, drawnClips(FIRST_SEED, 1))
    expect(stages.features.meanError).toBeCloseTo(0.5, 5)
    expect([stages.visualTokens.meanError, stages.logits.meanError]).toEqual([0, 0])
  })

  test('another model of the same sizes gives other answers, and each pair is told', async () => {
    const deaf: Stages = {
      ...expected,
      answer: (asked) => expected.answer({ ...asked, visual: { ...asked.visual, data: asked.visual.data.map(() => 0) } }),
    }
    const pairs: unknown[] = []
    const comparison = await compareModels({ found: deaf, expected }, drawnClips(FIRST_SEED, 2), { onPair: (pair) => pairs.push(pair) })
    expect(comparison.answers.share).toBeLessThan(0.9)
    expect(comparison.answers.interval[1]).toBeLessThan(1)
    expect(comparison.divergence.worst).toBeGreaterThan(0.1)
    expect(pairs).toHaveLength(comparison.pairs)
  })

  test('a model of other sizes is refused before anything runs', async () => {
    const other = await open({}, readCase('qwen2-naive').checkpoint)
    const nothing = (async function* (): AsyncGenerator<VerifyClip> { yield await Promise.reject(new Error('Nothing is asked for.')) })()
    await expect(compareModels({ found: other, expected }, nothing)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test('an abort ends it before the next question', async () => {
    const abort = new AbortController()
    const comparison = compareModels({ found: expected, expected }, drawnClips(FIRST_SEED, 50), {
      signal: abort.signal,
      onPair: () => { abort.abort() },
    })
    await expect(comparison).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
