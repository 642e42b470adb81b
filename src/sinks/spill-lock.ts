import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { hasCode, sinkFailed } from './sink-failed.js'

/** Folders that this process holds: its own number in a lock may also be left from before a container's restart. */
const held = new Set<string>()

/**
 * Takes a folder for this process alone; the lock of a process that has ended is taken over.
 *
 * @returns gives it back.
 * @throws {StreamError} `SINK_FAILED`: another process, or another sink of this one, has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const lock = join(folder, 'lock')
  const owner = held.has(folder) ? process.pid : await takeLock(lock)
  if (owner !== undefined) {
    const reason = `process ${owner} uses it. Give each sink a folder of its own; if none does, remove ${lock}`
    throw sinkFailed(`Could not use ${folder} for results that wait`, new Error(reason))
  }
  held.add(folder)
  return async () => {
    held.delete(folder)
    await rm(lock, { force: true })
  }
}

/** Makes the lock; gives the process that has it, where one is alive. */
async function takeLock(lock: string): Promise<number | undefined> {
  for (;;) {
    if (await createLock(lock)) return undefined
    // Moved aside first: of several that find a dead one's lock only one gets it.
    const aside = `${lock}.${process.pid}`
    const isMine = await rename(lock, aside).then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, 'ENOENT')) return false
        throw sinkFailed(`Could not take over ${lock}`, error)
      },
    )
    if (!isMine) continue
    const owner = Number.parseInt(await readFile(aside, 'utf8'))
    if (isAlive(owner)) {
      await rename(aside, lock)
      return owner
    }
    await rm(aside)
  }
}

async function createLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw sinkFailed(`Could not make ${lock}`, error)
  }
}

function isAlive(pid: number): boolean {
  if (Number.isNaN(pid) || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}
