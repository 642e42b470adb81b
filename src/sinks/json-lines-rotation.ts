import { createReadStream, createWriteStream } from 'node:fs'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

import { rotatedNames } from './json-lines-names.js'
import type { RotatedNames } from './json-lines-names.js'
import type { LineFile } from './line-file.js'
import { sinkFailed } from './sink-failed.js'
import type { SinkContext } from './sink.js'

/** When a file is put aside, and what becomes of it. At least one of `maxBytes` and `maxAgeMs`. */
export interface RotateOptions {
  /** Most bytes of a file; a longer line gets a file of its own. @default no limit */
  readonly maxBytes?: number
  /** Milliseconds of the clock after its first line; looked at when the next comes. @default no limit */
  readonly maxAgeMs?: number
  /** Old files that are kept; the oldest go first. @default all */
  readonly keep?: number
  /** Compresses old files. @default false */
  readonly gzip?: boolean
}

/** Puts a full or old file aside, and tidies up behind it. */
export class JsonLinesRotation {
  readonly #file: string
  readonly #folder: string
  readonly #names: RotatedNames
  readonly #options: RotateOptions
  readonly #now: () => number
  #context: SinkContext | undefined
  /** When the current file got its first line; none while it is empty. */
  #begunMs: number | undefined
  /** Compressing and removing, which goes on beside the writing. */
  #tidying: Promise<void> = Promise.resolve()

  constructor(file: string, options: RotateOptions, now: () => number) {
    this.#file = file
    this.#folder = dirname(file)
    this.#names = rotatedNames(basename(file))
    this.#options = options
    this.#now = now
  }

  /** Takes over the file as it was found, and finishes what a crash interrupted. */
  async begin(lines: LineFile, context: SinkContext | undefined): Promise<void> {
    if (!lines.isRegular) throw sinkFailed(`Could not rotate ${this.#file}`, new Error('it is no regular file'))
    this.#context = context
    const { birthtimeMs } = await stat(this.#file)
    // Some file systems know no time of birth; then its age begins now.
    this.#begunMs = lines.bytes === 0 ? undefined : birthtimeMs || this.#now()
    this.#tidying = this.#tidy()
  }

  /** Whether the file must be put aside before this line. An empty one never is, and begins with it. */
  isDue(lines: LineFile, line: string): boolean {
    const { maxBytes = Infinity, maxAgeMs = Infinity } = this.#options
    const now = this.#now()
    if (lines.bytes === 0) this.#begunMs = now
    const ageMs = now - (this.#begunMs ?? now)
    return lines.bytes > 0 && (lines.bytes + Buffer.byteLength(line) > maxBytes || ageMs >= maxAgeMs)
  }

  /**
   * Closes the file and renames it; the next line makes a new one.
   *
   * @throws {StreamError} `SINK_FAILED`.
   */
  async putAside(lines: LineFile): Promise<void> {
    // So at most one old file is uncompressed, however fast new ones come.
    await this.#tidying
    try {
      await lines.sync()
    } finally {
      await lines.close()
    }
    try {
      await rename(this.#file, join(this.#folder, this.#names.next(await readdir(this.#folder), this.#now())))
    } catch (error) {
      throw sinkFailed(`Could not put ${this.#file} aside`, error)
    }
    this.#begunMs = this.#now()
    this.#tidying = this.#tidy()
  }

  /** Resolves once nothing is under way any more. */
  async end(): Promise<void> {
    await this.#tidying
  }

  async #tidy(): Promise<void> {
    try {
      await this.#removeLeftovers()
      await this.#removeOldest()
      if (this.#options.gzip === true) await this.#compressAll()
    } catch (error) {
      const { message } = sinkFailed(`Could not tidy up the old files of ${this.#file}`, error)
      this.#context?.notify({ kind: 'sink-warning', sink: 'jsonLines', message, fields: { file: this.#file } })
    }
  }

  /** What a crash left: half a compressed file, or one whose original wasn't removed yet. */
  async #removeLeftovers(): Promise<void> {
    const found = await readdir(this.#folder)
    const isCompressed = new Set(found)
    for (const name of found) {
      if (this.#names.isHalfCompressed(name)) await this.#remove(name)
      else if (this.#names.isRotated(name) && isCompressed.has(`${name}.gz`)) await this.#remove(name)
    }
  }

  async #removeOldest(): Promise<void> {
    const old = (await readdir(this.#folder)).filter((name) => this.#names.isOld(name)).sort()
    const { keep = Infinity } = this.#options
    for (const name of old.slice(0, Math.max(0, old.length - keep))) await this.#remove(name)
  }

  async #compressAll(): Promise<void> {
    for (const name of (await readdir(this.#folder)).filter((found) => this.#names.isRotated(found))) {
      await compress(join(this.#folder, name))
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true })
  }
}

/** The compressed file gets its name when it is whole and safe; only then the original goes. */
async function compress(path: string): Promise<void> {
  const half = `${path}.gz.part`
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(half))
    const written = await open(half, 'r+')
    try {
      await written.sync()
    } finally {
      await written.close()
    }
    await rename(half, `${path}.gz`)
  } catch (error) {
    await rm(half, { force: true })
    throw error
  }
  await rm(path)
}
