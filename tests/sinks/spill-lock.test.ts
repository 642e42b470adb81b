import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { HOST } from '../../src/host.js'
import { Spill } from '../../src/sinks/spill.js'
import type { LockTime } from '../../src/sinks/spill-lock.js'

const ELSEWHERE = '0000beef'

let folder: string
let lock: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spill-lock-'))
  lock = join(folder, 'lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (time?: LockTime) => Spill.open({ folder, maxBytes: 1e6 }, time)
const inUse = (by: string) => ({ code: 'SINK_FAILED', message: expect.stringContaining(by) as unknown })

/** Writes a lock that was renewed so long ago. */
async function writeLock(text: string, agoMs = 0): Promise<void> {
  await writeFile(lock, text)
  const seconds = (Date.now() - agoMs) / 1000
  await utimes(lock, seconds, seconds)
}

/** A clock that the test moves, and timers that fire when it says so. */
function createLockTime() {
  let nowMs = Date.now()
  const work = new Set<() => void>()
  return {
    now: () => nowMs,
    every: (_ms: number, each: () => void) => {
      work.add(each)
      return () => void work.delete(each)
    },
    /** Time passes; the process may run, or stand still. */
    pass: (ms: number, { isRunning }: { isRunning: boolean }) => {
      nowMs += ms
      if (isRunning) for (const each of work) each()
    },
    timers: () => work.size,
  }
}

describe('the lock of a spill, on one machine', () => {
  test('one sink at a time, in this process too', async () => {
    const spill = await open()
    await expect(open()).rejects.toMatchObject(inUse('Give each sink a folder of its own'))
    await spill.close()
    await (await open()).close()
    expect(await readdir(folder)).toEqual(['head'])
  })

  test('another process that is alive keeps it, renewed or not; one that has ended doesn’t', async () => {
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(other, 'spawn')
    const text = `${HOST} ${other.pid ?? ''} x\n`
    await writeLock(text, 3_600_000)
    await expect(open()).rejects.toMatchObject(inUse(`process ${other.pid ?? ''}`))
    expect(await readFile(lock, 'utf8')).toBe(text)
    other.kill('SIGKILL')
    await once(other, 'exit')
    await (await open()).close()
    expect(await readdir(folder)).toEqual(['head'])
  })

  test('the id of this process, in a lock from before it began, is nobody’s: a container was restarted', async () => {
    await writeLock(`${HOST} ${process.pid} x\n`)
    await expect(open()).rejects.toMatchObject(inUse(`process ${process.pid}`))
    await writeLock(`${HOST} ${process.pid} x\n`, process.uptime() * 1000 + 5000)
    await (await open()).close()
  })
})

describe('the lock of a spill, on a folder that machines or containers share', () => {
  test.each([`${ELSEWHERE} ${process.pid} x\n`, `${ELSEWHERE} 1 x\n`, 'damaged', ''])(
    'a lock that says %j is kept while it is renewed, and left over a minute later',
    async (text) => {
      await writeLock(text, 50_000)
      await expect(open()).rejects.toMatchObject(inUse('on another machine, or in another container'))
      expect(await readFile(lock, 'utf8')).toBe(text)
      await writeLock(text, 70_000)
      await (await open()).close()
      expect(await readdir(folder)).toEqual(['head'])
    },
  )

  test('what is held is renewed, until it is given back', async () => {
    const time = createLockTime()
    const spill = await open(time)
    for (let renewals = 0; renewals < 3; renewals += 1) {
      time.pass(10_000, { isRunning: true })
      await vi.waitFor(async () => {
        expect(Math.abs((await stat(lock)).mtimeMs - time.now())).toBeLessThan(1)
      })
    }
    await spill.close()
    expect(time.timers()).toBe(0)
  })

  test('a process that stood still goes on where nobody came, and not where somebody did', async () => {
    const time = createLockTime()
    const spill = await open(time)
    time.pass(120_000, { isRunning: false })
    expect(await spill.append('one')).toBe(true)

    time.pass(120_000, { isRunning: false })
    await writeLock(`${ELSEWHERE} 1 x\n`)
    await expect(spill.append('two')).rejects.toMatchObject(inUse('another process'))
    await expect(spill.first()).rejects.toMatchObject(inUse('another process'))
    await spill.close()
    expect(await readFile(lock, 'utf8')).toBe(`${ELSEWHERE} 1 x\n`)
    expect(await readFile(join(folder, '000000000001.jsonl'), 'utf8')).toBe('one\n')
  })

  test('a lock that is another’s when it is to be renewed is told at the next use', async () => {
    const time = createLockTime()
    const spill = await open(time)
    await rm(lock)
    time.pass(10_000, { isRunning: true })
    await vi.waitFor(() => expect(spill.first()).rejects.toMatchObject(inUse('or was removed')))
    await spill.close()
  })
})
