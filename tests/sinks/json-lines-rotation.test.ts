import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import { jsonLines } from '../../src/sinks/json-lines.js'
import type { JsonLinesOptions } from '../../src/sinks/json-lines.js'
import type { SinkNotice } from '../../src/sinks/sink.js'
import { createAnswer } from './contract.js'

const START = Date.parse('2026-11-23T10:15:00.000Z')
const DAY = 86_400_000

let [folder, file, nowMs] = ['', '', START]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotation-'))
  file = join(folder, 'answers.jsonl')
  nowMs = START
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const now = (): number => nowMs
const lineBytes = Buffer.byteLength(JSON.stringify(createAnswer('0'))) + 1

/** Writes answers, the clock going on before each; gives the notices. */
async function write(texts: readonly string[], rotate: NonNullable<JsonLinesOptions['rotate']>, stepMs = 1000) {
  const sink = jsonLines(file, { rotate, now })
  const notices: SinkNotice[] = []
  await sink.open?.({ notify: (notice) => notices.push(notice) })
  for (const text of texts) {
    nowMs += stepMs
    await sink.write(createAnswer(text))
  }
  await sink.close?.()
  return notices
}

/** The answers of one file, compressed or not; each line must be whole. */
async function answersIn(name: string): Promise<readonly string[]> {
  const bytes = await readFile(join(folder, name))
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  expect(text === '' || text.endsWith('\n')).toBe(true)
  const results = text.split('\n').filter((line) => line !== '').map((line) => resultSchema.parse(JSON.parse(line)))
  return results.flatMap((result) => (result.kind === 'answer' ? [result.answer] : []))
}

/** All files with their answers, put aside ones first, by their age. */
async function files(): Promise<Readonly<Record<string, readonly string[]>>> {
  const names = (await readdir(folder)).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await answersIn(name)] as const)))
}

/** Files of the folder that this process has open. */
async function openFiles(): Promise<readonly string[]> {
  const handles = await readdir('/proc/self/fd')
  // One of them was open only to list them.
  const paths = await Promise.all(handles.map((handle) => readlink(join('/proc/self/fd', handle)).catch(() => '')))
  return paths.filter((path) => path.startsWith(folder))
}

describe('jsonLines with `rotate`', () => {
  test('puts a file aside before it would be longer than `maxBytes`', async () => {
    await write(['1', '2', '3', '4', '5'], { maxBytes: 2 * lineBytes })
    expect(await files()).toEqual({
      'answers-2026-11-23T10-15-03.000Z.jsonl': ['1', '2'],
      'answers-2026-11-23T10-15-05.000Z.jsonl': ['3', '4'],
      'answers.jsonl': ['5'],
    })
  })

  test('closed while it puts a file aside, it finishes the line and leaves no file open', async () => {
    const sink = jsonLines(file, { rotate: { maxBytes: lineBytes }, now })
    await sink.open?.()
    await sink.write(createAnswer('1'))
    const writing = sink.write(createAnswer('2'))
    await sink.close?.()
    expect(await openFiles()).toEqual([])
    await writing
    expect(Object.values(await files())).toEqual([['1'], ['2']])
    expect(await openFiles()).toEqual([])
  })

  test('a line longer than `maxBytes` gets a file of its own, whole', async () => {
    await write(['1', '2'], { maxBytes: 10 })
    expect(Object.values(await files())).toEqual([['1'], ['2']])
  })

  test('counts bytes, not letters', async () => {
    const bytes = Buffer.byteLength(JSON.stringify(createAnswer('ж'.repeat(100)))) + 1
    await write(['ж'.repeat(100), 'ж'.repeat(100)], { maxBytes: 2 * bytes - 1 })
    expect(await readdir(folder)).toHaveLength(2)
  })

  test('puts a file aside when its first line is `maxAgeMs` old', async () => {
    await write(['1', '2', '3', '4'], { maxAgeMs: DAY }, DAY / 2)
    expect(Object.values(await files())).toEqual([['1', '2'], ['3', '4']])
  })

  test('goes by the age of the file that it finds, and by its length', async () => {
    await write(['1'], { maxAgeMs: DAY })
    nowMs = (await stat(file)).birthtimeMs + DAY
    await write(['2'], { maxAgeMs: DAY }, 0)
    await write(['3'], { maxBytes: lineBytes }, 1000)
    expect(Object.values(await files())).toEqual([['1'], ['2'], ['3']])
  })

  test('an empty file is never put aside', async () => {
    await write([], { maxAgeMs: 1 })
    nowMs += DAY
    await write(['1'], { maxAgeMs: 1 })
    expect(await files()).toEqual({ 'answers.jsonl': ['1'] })
  })

  test('removes the oldest beyond `keep`', async () => {
    await write(['1', '2', '3', '4', '5'], { maxBytes: lineBytes, keep: 2 })
    expect(Object.values(await files())).toEqual([['3'], ['4'], ['5']])
    await write(['6'], { maxBytes: lineBytes, keep: 0 })
    expect(Object.values(await files())).toEqual([['6']])
  })

  test('removes nothing that isn’t its own', async () => {
    const others = [
      'answers-2026-11-23.jsonl',
      'answers-2026-11-23T10-15-03.000Z.jsonl.bak',
      'answers-2026-13-23T10-15-03.000Z.jsonl',
      'answers-door-2026-11-23T10-15-03.000Z.jsonl',
      'other-2026-11-23T10-15-03.000Z.jsonl',
      'answers-2026-11-23T10-15-03.000Z.txt',
    ]
    for (const name of others) await writeFile(join(folder, name), '')
    await write(['1', '2', '3'], { maxBytes: lineBytes, keep: 0 })
    expect((await readdir(folder)).sort()).toEqual([...others, 'answers.jsonl'].sort())
  })

  test('compresses what is put aside', async () => {
    await write(['1', '2', '3'], { maxBytes: lineBytes, gzip: true, keep: 5 })
    expect(await files()).toEqual({
      'answers-2026-11-23T10-15-02.000Z.jsonl.gz': ['1'],
      'answers-2026-11-23T10-15-03.000Z.jsonl.gz': ['2'],
      'answers.jsonl': ['3'],
    })
  })

  test('a clock that stands still or goes back overwrites nothing, and the order stays', async () => {
    await write(['1', '2', '3'], { maxBytes: lineBytes }, 0)
    await write(['4', '5'], { maxBytes: lineBytes, gzip: true }, -DAY)
    expect(Object.values(await files())).toEqual([['1'], ['2'], ['3'], ['4'], ['5']])
  })

  test('finishes what a crash left: half a compressed file, and an original beside its compressed copy', async () => {
    const [first, second] = ['answers-2026-11-23T10-15-01.000Z.jsonl', 'answers-2026-11-23T10-15-02.000Z.jsonl']
    const line = (text: string) => `${JSON.stringify(createAnswer(text))}\n`
    await writeFile(join(folder, first), line('1'))
    await writeFile(join(folder, `${first}.gz`), gzipSync(line('1')))
    await writeFile(join(folder, second), line('2'))
    await writeFile(join(folder, `${second}.gz.part`), gzipSync(line('2')).subarray(0, 20))
    await write(['3'], { maxBytes: 1e6, gzip: true })
    expect(await files()).toEqual({ [`${first}.gz`]: ['1'], [`${second}.gz`]: ['2'], 'answers.jsonl': ['3'] })
  })

  test('an old file that can’t be compressed is a notice, and the results go on', async () => {
    await mkdir(join(folder, 'answers-2026-11-23T10-15-01.000Z.jsonl'))
    const notices = await write(['1'], { maxBytes: 1e6, gzip: true })
    expect(notices).toMatchObject([{ kind: 'sink-warning', sink: 'jsonLines', fields: { file } }])
    expect(await answersIn('answers.jsonl')).toEqual(['1'])
  })

  test('a file that can’t be put aside is SINK_FAILED; the same result can be written again', async () => {
    const sink = jsonLines(file, { rotate: { maxBytes: lineBytes }, now })
    await sink.open?.()
    await sink.write(createAnswer('1'))
    await rm(file)
    await expect(sink.write(createAnswer('2'))).rejects.toMatchObject({ code: 'SINK_FAILED', cause: { code: 'ENOENT' } })
    await sink.write(createAnswer('2'))
    await sink.close?.()
    expect(await files()).toEqual({ 'answers.jsonl': ['2'] })
  })

  test('a device can’t be put aside', async () => {
    const sink = jsonLines('/dev/full', { rotate: { maxBytes: 10 } })
    await expect(sink.open?.()).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await sink.close?.()
  })

  test('all files together hold every answer once, in order, whatever the bounds', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 12 })
    const bounds = fc.record({ maxBytes: fc.integer({ min: 1, max: 3000 }), maxAgeMs: fc.integer({ min: 1, max: 9000 }), gzip: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(lengths, bounds, async (sizes, rotate) => {
        await rm(folder, { recursive: true })
        await mkdir(folder)
        const texts = sizes.map((size, place) => `${place} ${'x'.repeat(size)}`)
        await write(texts, rotate)
        expect(Object.values(await files()).flat()).toEqual(texts)
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    [{ rotate: {} }, '`rotate`: Expected `maxBytes`, `maxAgeMs` or both'],
    [{ rotate: { maxBytes: 0, keep: -1 } }, '`rotate.keep`'],
    [{ rotate: { maxAgeMs: 0 } }, '`rotate.maxAgeMs`'],
    [{ rotate: { maxBytes: 1, daily: true } }, 'daily'],
    [{ now: 5 }, '`now`'],
  ])('refuses %o', (options, message) => {
    expect(() => jsonLines(file, options as JsonLinesOptions)).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining(message) as unknown }),
    )
  })
})
