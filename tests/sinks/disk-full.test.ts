import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import { jsonLines } from '../../src/sinks/json-lines.js'
import { Spill } from '../../src/sinks/spill.js'
import { createAnswer } from './contract.js'

/** A disk of 64 KiB, or why there is none: only root may mount. */
function mountSmallDisk(): { readonly folder: string } | { readonly reason: string } {
  const folder = mkdtempSync(join(tmpdir(), 'small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'pipe' })
    return { folder }
  } catch (error) {
    rmSync(folder, { recursive: true })
    const reason = `no small disk can be mounted here: ${error instanceof Error ? error.message.trim() : String(error)}`
    if (process.env.CI_NO_SKIP === '1') throw new Error(reason, { cause: error })
    return { reason }
  }
}

const disk = mountSmallDisk()
afterAll(() => {
  if ('reason' in disk) return
  // Lazily: a test that failed may have left a file open.
  execFileSync('umount', ['-l', disk.folder])
  rmSync(disk.folder, { recursive: true })
})

const title = 'reason' in disk ? `a full disk (skipped: ${disk.reason})` : 'a full disk'

describe.skipIf('reason' in disk)(title, () => {
  const folder = 'folder' in disk ? disk.folder : ''
  // Longer than a page of memory, so that a line is cut in the middle.
  const answerOf = (place: number) => createAnswer(`${place} ${'x'.repeat(9_000)}`)

  /** The places of all answers on the disk, in order; each line must be whole. */
  const placesThere = async (): Promise<readonly number[]> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort()
    const text = (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('')
    expect(text.endsWith('\n')).toBe(true)
    const results = text.trimEnd().split('\n').map((line) => resultSchema.parse(JSON.parse(line)))
    return results.map((result) => (result.kind === 'answer' ? parseInt(result.answer) : NaN))
  }

  test.each([
    ['one file', undefined],
    ['files in rotation', { maxBytes: 25_000 }],
  ])('%s: no half a line stays, and the same result can be written once there is space', async (_name, rotate) => {
    const [file, ballast] = [join(folder, 'answers.jsonl'), join(folder, 'ballast')]
    await writeFile(ballast, Buffer.alloc(20_000))
    const sink = jsonLines(file, rotate === undefined ? {} : { rotate })
    await sink.open?.()
    let place = 0
    let failure: unknown
    while (failure === undefined && place < 50) {
      await sink.write(answerOf(place)).then(
        () => (place += 1),
        (error: unknown) => (failure = error),
      )
    }
    expect(failure).toMatchObject({
      code: 'SINK_FAILED',
      canRetry: true,
      message: expect.stringContaining('the disk is full. Free some space (ENOSPC)') as unknown,
    })
    expect(await placesThere()).toEqual(Array.from({ length: place }, (_, one) => one))

    await rm(ballast)
    await sink.write(answerOf(place))
    await sink.close?.()
    expect((await placesThere()).at(-1)).toBe(place)
    for (const name of await readdir(folder)) await rm(join(folder, name))
  })

  test('a spill has no room then, stays whole, and goes on once there is space', async () => {
    const ballast = join(folder, 'ballast')
    await writeFile(ballast, Buffer.alloc(20_000))
    const spill = await Spill.open({ folder: join(folder, 'spill'), maxBytes: 1e6 })
    const line = 'x'.repeat(9_000)
    let count = 0
    while (await spill.append(`${count} ${line}`)) count += 1
    expect(count).toBeGreaterThan(0)
    await rm(ballast)
    expect(await spill.append(`${count} ${line}`)).toBe(true)
    const taken: number[] = []
    for (let first = await spill.first(); first !== undefined; first = await spill.first()) {
      taken.push(parseInt(first))
      await spill.shift()
    }
    expect(taken).toEqual(Array.from({ length: count + 1 }, (_, one) => one))
    await spill.close()
  })
})
