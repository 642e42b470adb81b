import { mkdir, realpath, rm, stat } from 'node:fs/promises'

import { StreamError } from '../errors.js'
import { LineFile } from './line-file.js'
import { hasCode, sinkFailed } from './sink-failed.js'
import { SpillHead } from './spill-head.js'
import { SpillLock } from './spill-lock.js'
import type { LockTime } from './spill-lock.js'
import { countLines, findSegments, readLine, segmentOf, syncFolder } from './spill-segments.js'
import type { Segment } from './spill-segments.js'

/** Where lines wait, and how many. */
export interface SpillOptions {
  readonly folder: string
  /** Most bytes on disk; a single line always fits. */
  readonly maxBytes: number
}

/** A spill has so many segments when it is full: what was taken is removed from the disk in such steps. */
const SEGMENTS = 16

/**
 * A queue of lines on disk: first in, first out, for one process at a time.
 *
 * ```
 * folder/000000000007.jsonl   the oldest segment; `head` says how much of it was taken
 * folder/000000000008.jsonl   lines are appended to the newest
 * folder/head                 number of a segment, and an offset in it
 * folder/lock                 the machine and process that use the folder, see `SpillLock`
 * ```
 *
 * - `append` resolves when the line is safe from a power cut (`fsync`). A line that a crash cut off was
 *   never acknowledged, and is removed at the next `open`.
 * - `shift` notes that the first line was taken: in the system's memory, so the end of the process can't
 *   undo it, but a power cut can: then up to a segment of lines comes again.
 *
 * Memory: one line, however many wait.
 */
export class Spill {
  readonly #options: SpillOptions
  readonly #lock: SpillLock
  readonly #head: SpillHead
  /** Oldest first; the last may be open for appending. */
  readonly #segments: (Segment & { bytes: number })[] = []
  #tail: LineFile | undefined
  #nextNumber = 1
  /** Where the first line begins in the oldest segment. */
  #offset = 0
  #count = 0
  #shifts = 0
  readonly #waiting = new Set<() => void>()
  /** Appending and taking touch the same files: one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: SpillOptions, head: SpillHead, lock: SpillLock) {
    this.#options = options
    this.#head = head
    this.#lock = lock
  }

  /**
   * Opens the folder, or makes it; finds what an earlier process left.
   *
   * @throws {StreamError} `SINK_FAILED`: it can't be read or written, or another process uses it.
   */
  static async open({ folder, maxBytes }: SpillOptions, lockTime?: LockTime): Promise<Spill> {
    let lock: SpillLock | undefined
    try {
      await mkdir(folder, { recursive: true })
      const real = await realpath(folder)
      lock = await SpillLock.take(real, lockTime)
      const spill = new Spill({ folder: real, maxBytes }, await SpillHead.open(real), lock)
      await spill.#recover()
      return spill
    } catch (error) {
      await lock?.release()
      throw error instanceof StreamError ? error : sinkFailed(`Could not open ${folder} for results that wait`, error)
    }
  }

  /** Lines that wait. */
  get count(): number {
    return this.#count
  }

  /** Lines taken so far; for `whenShifted`. */
  get shifts(): number {
    return this.#shifts
  }

  /**
   * Appends a line.
   *
   * @returns false: there is no room now, by `maxBytes` or on the disk.
   * @throws {StreamError} `SINK_FAILED`.
   */
  append(text: string): Promise<boolean> {
    return this.#exclusively(async () => {
      const line = `${text}\n`
      const bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, Buffer.byteLength(line))
      if (bytes > this.#options.maxBytes && this.#count > 0) return false
      try {
        await this.#appendTo(await this.#openTail(), line)
        return true
      } catch (error) {
        const cause = error instanceof StreamError ? error.cause : error
        if (hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')) return false
        throw error
      }
    })
  }

  /** The first line; undefined: none waits. */
  first(): Promise<string | undefined> {
    return this.#exclusively(async () => {
      await this.#dropTaken()
      const line = await this.#readFirst()
      return line?.toString()
    })
  }

  /** Takes the first line away. */
  shift(): Promise<void> {
    return this.#exclusively(async () => {
      const line = await this.#readFirst()
      if (line === undefined) return
      this.#offset += line.length + 1
      this.#count -= 1
      await this.#head.save({ number: this.#segments[0]?.number ?? 0, offset: this.#offset })
      await this.#dropTaken()
      this.#shifts += 1
      for (const wake of [...this.#waiting]) wake()
    })
  }

  /** Resolves once more lines were taken than `shifts` said, or the signal is aborted. */
  whenShifted(since: number, signal: AbortSignal): Promise<void> {
    if (this.#shifts !== since || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Closes the files; the lines stay. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#tail?.close()
      this.#tail = undefined
      await this.#head.close()
      await this.#lock.release()
    })
  }

  async #recover(): Promise<void> {
    const head = await this.#head.read()
    this.#nextNumber = head.number + 1
    for (const segment of await findSegments(this.#options.folder)) {
      this.#nextNumber = Math.max(this.#nextNumber, segment.number + 1)
      // Taken as a whole, but a crash came before it was removed.
      if (segment.number < head.number) await rm(segment.path)
      else this.#segments.push({ ...segment, bytes: (await stat(segment.path)).size })
    }
    await this.#cutTornLine()
    for (const { number, path } of this.#segments) {
      const offset = number === head.number ? head.offset : 0
      const lines = await countLines(path, offset)
      if (lines !== undefined && number === head.number) this.#offset = offset
      this.#count += lines ?? (await countLines(path, 0)) ?? 0
    }
    await this.#dropTaken()
  }

  async #cutTornLine(): Promise<void> {
    const last = this.#segments.at(-1)
    if (last === undefined) return
    this.#tail = await LineFile.open(last.path, 'cut')
    last.bytes = this.#tail.bytes
  }

  async #openTail(): Promise<LineFile> {
    const isFull = this.#tail !== undefined && this.#tail.bytes >= this.#options.maxBytes / SEGMENTS
    if (this.#tail !== undefined && !isFull) return this.#tail
    await this.#tail?.close()
    this.#tail = undefined
    const segment = segmentOf(this.#options.folder, this.#nextNumber)
    const tail = await LineFile.open(segment.path, 'cut')
    await syncFolder(this.#options.folder)
    this.#nextNumber += 1
    this.#segments.push({ ...segment, bytes: 0 })
    this.#tail = tail
    return tail
  }

  async #appendTo(tail: LineFile, line: string): Promise<void> {
    await tail.append(line)
    await tail.sync()
    const segment = this.#segments.at(-1)
    if (segment !== undefined) segment.bytes = tail.bytes
    this.#count += 1
  }

  async #readFirst(): Promise<Buffer | undefined> {
    const oldest = this.#segments[0]
    if (oldest === undefined || this.#count === 0) return undefined
    const line = await readLine(oldest.path, this.#offset)
    if (line !== undefined) return line
    throw sinkFailed(`Could not read ${oldest.path}`, new Error('somebody else has changed it'))
  }

  /** Removes segments of which every line was taken. */
  async #dropTaken(): Promise<void> {
    for (let oldest = this.#segments[0]; oldest !== undefined && this.#offset >= oldest.bytes; ) {
      if (this.#segments.length === 1) {
        await this.#tail?.close()
        this.#tail = undefined
      }
      await rm(oldest.path)
      this.#segments.shift()
      this.#offset = 0
      oldest = this.#segments[0]
    }
  }

  /** Does something with the files, as long as they are this process's. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#lock.expectHeld()
      return work()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work).catch((error: unknown) => {
      if (error instanceof StreamError) throw error
      throw sinkFailed(`Could not use ${this.#options.folder} for results that wait`, error)
    })
    this.#last = result.catch(() => undefined)
    return result
  }
}
