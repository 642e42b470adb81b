import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import { jsonLines } from '../../src/sinks/json-lines.js'
import { createAnswer, runSinkContract } from './contract.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'json-lines-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const linesOf = async (file: string): Promise<readonly string[]> =>
  (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')

const answersIn = async (file: string): Promise<readonly string[]> =>
  (await linesOf(file)).map((line) => resultSchema.parse(JSON.parse(line))).flatMap((result) =>
    result.kind === 'answer' ? [result.answer] : [],
  )

describe('jsonLines', () => {
  let count = 0
  runSinkContract(() => {
    count += 1
    const file = join(folder, `${count}.jsonl`)
    const sink = jsonLines(file)
    return Promise.resolve({
      sink,
      delivered: () => answersIn(file),
      // From now on the sink's calls go to one whose disk is full.
      breakIt: async () => {
        await sink.close?.()
        const full = jsonLines('/dev/full')
        await full.open?.()
        Object.assign(sink, full)
      },
    })
  })

  test('appends to what is there', async () => {
    const file = join(folder, 'answers.jsonl')
    for (const text of ['first run', 'second run']) {
      const sink = jsonLines(file)
      await sink.open?.()
      await sink.write(createAnswer(text))
      await sink.close?.()
    }
    expect(await answersIn(file)).toEqual(['first run', 'second run'])
  })

  test('begins on a new line where a crash left half a line', async () => {
    const file = join(folder, 'answers.jsonl')
    await writeFile(file, '{"kind":"answ')
    const sink = jsonLines(file)
    await sink.open?.()
    await sink.write(createAnswer('whole'))
    await sink.close?.()
    const [half, whole] = await linesOf(file)
    expect(half).toBe('{"kind":"answ')
    expect(resultSchema.parse(JSON.parse(whole ?? ''))).toMatchObject({ answer: 'whole' })
  })

  test('an answer with line breaks stays on one line', async () => {
    const file = join(folder, 'answers.jsonl')
    const sink = jsonLines(file)
    await sink.open?.()
    await sink.write(createAnswer('one\ntwo\u2028three'))
    await sink.close?.()
    expect(await linesOf(file)).toHaveLength(1)
  })

  test('a full disk says so', async () => {
    const sink = jsonLines('/dev/full')
    await sink.open?.()
    await expect(sink.write(createAnswer('lost'))).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: 'Could not write to /dev/full: the disk is full. Free some space (ENOSPC).',
      cause: { code: 'ENOSPC' },
    })
    await sink.close?.()
  })

  test.each([
    ['a missing directory', 'missing/answers.jsonl', 'ENOENT'],
    ['a directory', '.', 'EISDIR'],
  ])('%s can’t be opened', async (_name, path, code) => {
    await expect(jsonLines(join(folder, path)).open?.()).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining(code) as unknown,
      cause: { code },
    })
  })

  test('a write to a sink that isn’t open is refused', async () => {
    await expect(jsonLines(join(folder, 'a.jsonl')).write(createAnswer('early'))).rejects.toMatchObject({
      code: 'SINK_FAILED',
    })
  })

  test('refuses an empty path', () => {
    expect(() => jsonLines('')).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
