import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'

import type { StreamError } from '../errors.js'
import { HOST, isAlive, isOfEarlierProcess } from '../host.js'
import { hasCode, sinkFailed } from './sink-failed.js'

/** A lock of another machine that was not renewed for so many milliseconds is left over. */
export const STALE_MS = 60_000

/** Whose a lock is. */
export interface LockOwner {
  /** Empty where the lock doesn't tell: it is only just being written, or was damaged. */
  readonly host: string
  readonly pid: number
}

/**
 * Makes a lock; in place of one that is left over, if need be.
 *
 * @param text What it says: host, process id and something like no other, in one line.
 * @param now The time in milliseconds since 1970.
 * @throws {StreamError} `SINK_FAILED`: it is another process's.
 */
export async function makeLock(path: string, text: string, now: () => number): Promise<void> {
  while (!(await createLock(path, text))) {
    const found = await readIfThere(path)
    const touchedMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    // Given back meanwhile.
    if (found === undefined || touchedMs === undefined) continue
    const owner = ownerOf(found)
    if (!isLeftOver(owner, { touchedMs, nowMs: now() })) throw inUse(path, owner)
    await removeLock(path, found)
  }
}

async function createLock(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw sinkFailed(`Could not make ${path}`, error)
  }
}

function ownerOf(text: string): LockOwner {
  const [, host = '', pid] = /^([0-9a-f]{8}) (\d+) \S+\n$/.exec(text) ?? []
  return { host, pid: Number(pid) }
}

function isLeftOver({ host, pid }: LockOwner, { touchedMs, nowMs }: { touchedMs: number; nowMs: number }): boolean {
  if (host !== HOST) return nowMs - touchedMs > STALE_MS
  return pid === process.pid ? isOfEarlierProcess(touchedMs) : !isAlive(pid)
}

/** Removes a lock that is left over. Moved aside first: of several that find it only one removes it, and nobody a new one. */
async function removeLock(path: string, found: string): Promise<void> {
  const aside = `${path}.${HOST}.${process.pid}`
  try {
    await rename(path, aside)
    if ((await readIfThere(aside)) === found) await rm(aside)
    else await rename(aside, path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw sinkFailed(`Could not take over ${path}`, error)
  }
}

/** The error for a folder that somebody else uses. */
export function inUse(path: string, { host, pid }: LockOwner): StreamError {
  const reason =
    host === HOST
      ? `process ${pid} uses it. Give each sink a folder of its own; if none does, remove ${path}`
      : 'a process on another machine, or in another container, uses it. Give each a folder of its own; where that ' +
        `one has ended, ${path} is free again within ${STALE_MS / 1000} s: start again then`
  return sinkFailed('Could not use a folder for results that wait', new Error(reason))
}

/** The text of a file; undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw sinkFailed(`Could not read ${path}`, error)
  }
}
