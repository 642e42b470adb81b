import { randomUUID } from 'node:crypto'
import { rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'

import { HOST } from '../host.js'
import { sinkFailed } from './sink-failed.js'
import { STALE_MS, inUse, makeLock, readIfThere } from './spill-lock-file.js'

/** How often a lock that is held is renewed. */
const RENEW_MS = 10_000

/** Clock and timer of a lock; tests bring their own. */
export interface LockTime {
  /** Milliseconds since 1970. */
  now(): number
  /** Does something again and again, without keeping the process alive. @returns ends that. */
  every(ms: number, work: () => void): () => void
}

const systemTime: LockTime = {
  now: Date.now,
  every: (ms, work) => {
    const timer = setInterval(work, ms).unref()
    return () => {
      clearInterval(timer)
    }
  },
}

/** Folders that this process holds: its own number in a lock may also be left from before a container's restart. */
const held = new Set<string>()

/**
 * Keeps a folder for this process alone, also among several machines or containers that share it.
 *
 * The file `lock` names machine and process. On the same machine the lock of a process that has ended is taken over.
 * Another machine's processes can't be seen from here: their locks are taken over once they were not renewed for a
 * minute. So the clocks of the machines have to agree within half a minute, and a process that stood still for longer
 * than that looks whether the folder is still its own.
 */
export class SpillLock {
  readonly #folder: string
  readonly #path: string
  readonly #time: LockTime
  /** Like no other lock's. */
  readonly #text = `${HOST} ${process.pid} ${randomUUID()}\n`
  #renewedMs = -Infinity
  #stopRenewing: () => void = () => undefined

  private constructor(folder: string, time: LockTime) {
    this.#folder = folder
    this.#path = join(folder, 'lock')
    this.#time = time
  }

  /**
   * Takes a folder.
   *
   * @throws {StreamError} `SINK_FAILED`: another process, or another sink of this one, has it.
   */
  static async take(folder: string, time: LockTime = systemTime): Promise<SpillLock> {
    const lock = new SpillLock(folder, time)
    if (held.has(folder)) throw inUse(lock.#path, { host: HOST, pid: process.pid })
    held.add(folder)
    try {
      await makeLock(lock.#path, lock.#text, () => time.now())
      await lock.#renew()
    } catch (error) {
      await lock.release().catch(() => undefined)
      throw error
    }
    lock.#stopRenewing = time.every(RENEW_MS, () => {
      // The next use of the folder looks itself, and tells.
      lock.#renew().catch(() => (lock.#renewedMs = -Infinity))
    })
    return lock
  }

  /** @throws {StreamError} `SINK_FAILED`: another process has taken the folder over, as this one stood still. */
  async expectHeld(): Promise<void> {
    if (this.#time.now() - this.#renewedMs > STALE_MS / 2) await this.#renew()
  }

  /** Gives the folder back, unless it is another's by now. */
  async release(): Promise<void> {
    this.#stopRenewing()
    held.delete(this.#folder)
    if ((await readIfThere(this.#path)) === this.#text) await rm(this.#path, { force: true })
  }

  async #renew(): Promise<void> {
    const nowMs = this.#time.now()
    if ((await readIfThere(this.#path)) !== this.#text) {
      const reason = `${this.#path} is another process's by now, or was removed. Start anew`
      throw sinkFailed(`Could not go on with ${this.#folder} for results that wait`, new Error(reason))
    }
    await utimes(this.#path, nowMs / 1000, nowMs / 1000)
    this.#renewedMs = nowMs
  }
}
