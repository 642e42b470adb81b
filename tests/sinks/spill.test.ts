import { appendFile, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Spill } from '../../src/sinks/spill.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spill-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (maxBytes = 1e6) => Spill.open({ folder, maxBytes })
const segments = async () => (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort()

/** Takes everything that waits. */
async function takeAll(spill: Spill): Promise<readonly string[]> {
  const taken: string[] = []
  for (let line = await spill.first(); line !== undefined; line = await spill.first()) {
    taken.push(line)
    await spill.shift()
  }
  return taken
}

async function fill(spill: Spill, lines: readonly string[]): Promise<void> {
  for (const line of lines) expect(await spill.append(line)).toBe(true)
}

describe('Spill', () => {
  test('gives lines back in order, also while more come, and leaves no file of lines', async () => {
    const spill = await open(160)
    await fill(spill, ['one', 'two'])
    expect(await spill.first()).toBe('one')
    await spill.shift()
    await fill(spill, ['three'])
    expect(spill.count).toBe(2)
    expect(await takeAll(spill)).toEqual(['two', 'three'])
    expect([spill.count, spill.shifts]).toEqual([0, 3])
    expect(await segments()).toEqual([])
    await spill.close()
  })

  test('nothing waits in an empty one', async () => {
    const spill = await open()
    expect(await spill.first()).toBeUndefined()
    await spill.shift()
    expect([spill.count, spill.shifts]).toEqual([0, 0])
    await spill.close()
  })

  test('has no room beyond its bytes on disk, until enough was taken', async () => {
    const spill = await open(32)
    await fill(spill, ['0123456', '0123456', '0123456', '0123456'])
    expect(await spill.append('x')).toBe(false)
    await spill.shift()
    expect(await spill.append('0123456')).toBe(true)
    await spill.close()
  })

  test('a single line always fits', async () => {
    const spill = await open(10)
    expect(await spill.append('longer than ten bytes')).toBe(true)
    expect(await spill.append('x')).toBe(false)
    expect(await takeAll(spill)).toEqual(['longer than ten bytes'])
    await spill.close()
  })

  test('the next process finds what is left, and nothing that was taken', async () => {
    const first = await open(160)
    await fill(first, ['one', 'two', 'three', 'four', 'five', 'six'])
    await first.shift()
    await first.shift()
    await first.shift()
    await first.close()
    const second = await open(160)
    expect(second.count).toBe(3)
    await fill(second, ['seven'])
    expect(await takeAll(second)).toEqual(['four', 'five', 'six', 'seven'])
    await second.close()
  })

  test('a line that a crash cut off was never acknowledged, and goes', async () => {
    const before = await open()
    await fill(before, ['one', 'two'])
    await before.close()
    await appendFile(join(folder, '000000000001.jsonl'), '{"half')
    const spill = await open()
    await fill(spill, ['three'])
    expect(await takeAll(spill)).toEqual(['one', 'two', 'three'])
    await spill.close()
  })

  test.each(['', 'nonsense', '000000000001 0000000000000002\n', '000000000001 0000000000000999\n'])(
    'a head that makes no sense (%j) repeats lines, and loses none',
    async (head) => {
      const before = await open()
      await fill(before, ['one', 'two'])
      await before.shift()
      await before.close()
      await writeFile(join(folder, 'head'), head)
      const spill = await open()
      expect(await takeAll(spill)).toEqual(['one', 'two'])
      await spill.close()
    },
  )

  test('a segment that was taken as a whole, but not removed, goes', async () => {
    const before = await open(16)
    await fill(before, ['one', 'two', 'three'])
    const copy = await readFile(join(folder, '000000000001.jsonl'))
    await before.shift()
    await before.shift()
    await before.close()
    await writeFile(join(folder, '000000000001.jsonl'), copy)
    const spill = await open(16)
    expect(await takeAll(spill)).toEqual(['three'])
    await spill.close()
  })

  test('a line longer than a block is read whole', async () => {
    const spill = await open(1e7)
    const long = 'ж'.repeat(200_000)
    await fill(spill, ['short', long, 'short'])
    expect(await takeAll(spill)).toEqual(['short', long, 'short'])
    await spill.close()
  })

  test('files that somebody else cuts are an error, and no endless loop', async () => {
    const spill = await open()
    await fill(spill, ['one'])
    await truncate(join(folder, '000000000001.jsonl'), 0)
    await expect(spill.first()).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await spill.close()
  })

  test('a folder that can’t be made is SINK_FAILED', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(Spill.open({ folder: join(folder, 'file', 'x'), maxBytes: 1 })).rejects.toMatchObject({
      code: 'SINK_FAILED',
      cause: { code: 'ENOTDIR' },
    })
  })

  test('`whenShifted` resolves when a line was taken since, or the signal is aborted', async () => {
    const spill = await open()
    await fill(spill, ['one', 'two'])
    const abort = new AbortController()
    const shifted = spill.whenShifted(0, abort.signal)
    await spill.shift()
    await shifted
    await spill.whenShifted(0, abort.signal)
    const aborted = spill.whenShifted(1, abort.signal)
    abort.abort()
    await aborted
    await spill.whenShifted(1, abort.signal)
    await spill.close()
  })

  test('is a queue, whatever is appended, taken and opened anew in whichever order', async () => {
    const step = fc.oneof(fc.string(), fc.constant('take' as const), fc.constant('reopen' as const))
    const steps = fc.array(step.map((what) => (typeof what === 'string' ? what.replaceAll('\n', '') : what)))
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        await rm(folder, { recursive: true, force: true })
        let spill = await open(200)
        const expected: string[] = []
        for (const what of given) {
          if (what === 'take') {
            expect(await spill.first()).toBe(expected.shift())
            await spill.shift()
          } else if (what === 'reopen') {
            await spill.close()
            spill = await open(200)
          } else if (await spill.append(what)) expected.push(what)
          expect(spill.count).toBe(expected.length)
        }
        expect(await takeAll(spill)).toEqual(expected)
        await spill.close()
      }),
      { numRuns: 60 },
    )
  })
})
