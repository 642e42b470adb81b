import { afterAll, beforeAll, expect, test } from 'vitest'

import { benchAnswersTogether } from '../../../scripts/bench/answers-together.js'
import { randomBundle } from '../../../scripts/bench/bundles.js'
import { SMALL } from '../../../scripts/bench/checkpoint/geometry.js'
import { benchDecodeTogether, togetherRow } from '../../../scripts/bench/decode-together.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'

let folder: TemporaryFolder
let bundle: string
beforeAll(async () => {
  folder = temporaryFolder()
  bundle = await randomBundle(folder.path, SMALL, 'int4')
})
afterAll(() => { folder.remove() })

test('the median of the rounds counts, against the less of so many times one and of prefill', () => {
  const rounds = [
    { chunk: 9000, alone: 50, together: 800 },
    { chunk: 1000, alone: 100, together: 100 },
    { chunk: 500, alone: 900, together: 400 },
  ]
  // One makes 10 tokens a second, all four 10 as well.
  const length = { answers: 4, prompt: 10, steps: 3 }
  expect(togetherRow('small', rounds, { ...length, chunk: 64 })).toMatchObject({ figure: '10.0 tokens/s (one: 10.0)', ratio: 10 / 40 })
  expect(togetherRow('small', rounds, { ...length, chunk: 16 }).ratio).toBe(10 / 16)
})

test('the decoder alone goes through several rounds', async () => {
  const row = await benchDecodeTogether({ bundle, threads: 1, rounds: 2, answers: 3, prompt: 10, chunk: 8, steps: 2 })
  expect(row.what).toBe('decoder alone, 128 wide, 2 layers: 3 answers side by side, 10 positions each')
  expect(row.ratio).toBeGreaterThan(0)
})

test('the runtime answers the same questions one at a time and at once', async () => {
  const row = await benchAnswersTogether({ bundle, name: 'small', threads: 1, rounds: 1, answers: 3, frames: 2, tokens: 4 })
  expect(row.what).toBe('runtime, small: 3 questions asked at once against one at a time, prompts included')
  expect(row.figure).toMatch(/ tokens\/s \(12 in all\)$/)
  expect(row.against).toMatch(/ tokens\/s \(12 in all\)$/)
  expect(row.ratio).toBeGreaterThan(0)
})
