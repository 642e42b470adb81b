import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { type KeptAnswer, ResultsFile, type ResultsHeader } from '../../src/eval/results-file.js'

const scratch = mkdtempSync(join(tmpdir(), 'eval-results-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

let files = 0
const newPath = (): string => join(scratch, `results-${(files += 1)}.jsonl`)

const header: ResultsHeader = {
  kind: 'evaluation',
  version: 1,
  benchmark: 'mvbench',
  model: { name: 'small', digest: 'd'.repeat(64) },
  data: 'a'.repeat(64),
  frames: '16',
  maxNewTokens: 1024,
  template: 'phi',
}

const answer = (id: string) => ({ id, answer: `to ${id}`, predicted: 'A', points: 1 })

/** A file with two answers, and a question that was passed over. */
async function begun(): Promise<string> {
  const path = newPath()
  const results = await ResultsFile.open(path, { header, resume: false })
  await results.append(answer('1'))
  await results.append({ id: '2', skipped: { code: 'VIDEO_NOT_FOUND', message: 'gone' } })
  await results.append(answer('3'))
  await results.close()
  return path
}

const reopened = async (path: string): Promise<ReadonlyMap<string, KeptAnswer>> => {
  const results = await ResultsFile.open(path, { header, resume: true })
  await results.append(answer('4'))
  await results.close()
  return results.answers
}

test('answers are there again; what was passed over is open', async () => {
  const path = await begun()
  expect([...(await reopened(path)).keys()]).toEqual(['1', '3', '4'])
  expect(readFileSync(path, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as unknown)).toEqual([
    header,
    answer('1'),
    { id: '2', skipped: { code: 'VIDEO_NOT_FOUND', message: 'gone' } },
    answer('3'),
    answer('4'),
  ])
})

test.each(['{"id":"9","ans', '{"id":"9","answer":"whole, but for its end","predicted":"A"}'])('a line that a crash cut off is taken away: %s', async (torn) => {
  const path = await begun()
  appendFileSync(path, torn)
  expect([...(await reopened(path)).keys()]).toEqual(['1', '3', '4'])
  expect(readFileSync(path, 'utf8')).not.toContain('"9"')
})

test.each(['', '{"kind":"evalu', JSON.stringify(header).slice(0, -1)])('a file that was cut off in its first line is begun anew: %s', async (torn) => {
  const path = newPath()
  writeFileSync(path, torn)
  expect([...(await reopened(path)).keys()]).toEqual(['4'])
  expect(readFileSync(path, 'utf8').startsWith(`${JSON.stringify(header)}\n{"id":"4"`)).toBe(true)
})

describe('is refused, and left as it is', () => {
  const refused = async (path: string, changes: Partial<ResultsHeader>, resume = true) => {
    const before = readFileSync(path, 'utf8')
    const opening = ResultsFile.open(path, { header: { ...header, ...changes }, resume })
    const error: unknown = await opening.then(() => undefined, (reason: unknown) => reason)
    expect(readFileSync(path, 'utf8')).toBe(before)
    return error
  }

  test('a file that is there, without resume', async () => {
    expect(await refused(await begun(), {}, false)).toMatchObject({ code: 'EVAL_RESULTS_EXIST' })
  })

  test.each([
    [{ benchmark: 'mlvu' }, 'benchmark: mvbench there, mlvu here'],
    [{ model: { name: 'large', digest: 'e'.repeat(64) } }, 'model: small dddddddddddd there, large eeeeeeeeeeee here'],
    [{ data: 'b'.repeat(64) }, 'data: '],
    [{ frames: '8' }, 'frames: 16 there, 8 here'],
    [{ maxNewTokens: 5 }, 'maxNewTokens: 1024 there, 5 here'],
    [{ template: 'llama' }, 'template: phi there, llama here'],
  ])('answers to something else: %j', async (changes, words) => {
    expect(await refused(await begun(), changes)).toMatchObject({ code: 'EVAL_RESULTS_DIFFER', message: expect.stringContaining(words) as string })
  })

  test.each(['my notes', 'my notes\n', '{"a":1}\n', `${JSON.stringify(header)}\nnoise\n`, `${JSON.stringify(header)}\n{"id":1}\n`])('no results file: %j', async (text) => {
    const path = newPath()
    writeFileSync(path, text)
    expect(await refused(path, {})).toMatchObject({ code: 'EVAL_RESULTS_DIFFER', message: expect.stringContaining('no results file') as string })
  })
})

test('what was wrong with an answer is there again', async () => {
  const path = await begun()
  const results = await ResultsFile.open(path, { header, resume: true })
  await results.append({ ...answer('5'), degraded: ['The end is missing.'] })
  await results.close()
  expect((await reopened(path)).get('5')).toMatchObject({ answer: 'to 5', degraded: ['The end is missing.'] })
})

test('of two that make the file at once, one does', async () => {
  const path = newPath()
  const opened = await Promise.allSettled([1, 2].map(() => ResultsFile.open(path, { header, resume: false })))
  const refused = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  for (const one of opened) if (one.status === 'fulfilled') await one.value.close()
  expect(refused).toEqual([expect.objectContaining({ code: 'EVAL_RESULTS_EXIST' })])
  expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(header)}\n`)
})

test('a file that can’t be made', async () => {
  await expect(ResultsFile.open(join(scratch, 'none', 'x.jsonl'), { header, resume: false })).rejects.toMatchObject({ code: 'SINK_FAILED' })
})

test('a bundle of another name and the same digest goes on', async () => {
  const results = await ResultsFile.open(await begun(), { header: { ...header, model: { ...header.model, name: 'renamed' } }, resume: true })
  await results.close()
  expect(results.answers.size).toBe(2)
})

test('a folder is no results file', async () => {
  await expect(ResultsFile.open(scratch, { header, resume: true })).rejects.toMatchObject({ code: 'EVAL_RESULTS_DIFFER' })
})
