import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { type AsyncBuffer, parquetReadObjects } from 'hyparquet'
import type { z } from 'zod'

import { StreamError } from '../errors.js'
import { describeMistakes } from '../settings.js'

/**
 * A benchmark's folder: reads its annotations, checks their form, and remembers by a digest what was read.
 *
 * Every reading throws `EVAL_DATA_NOT_FOUND` where there is no such file, and `EVAL_DATA_INVALID` where it holds
 * something else than the benchmark's own files do.
 */
export class DataFolder {
  readonly #folder: string
  readonly #hash = createHash('sha256')

  constructor(folder: string) {
    this.#folder = resolve(folder)
  }

  /** sha256 of all files that were read so far, in that order. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }

  /** The full path of a file in the folder. */
  path(...names: readonly string[]): string {
    return join(this.#folder, ...names)
  }

  async bytes(name: string): Promise<Uint8Array> {
    const bytes = await readFile(this.path(name)).catch((cause: unknown) => {
      const message = `There is no ${this.path(name)}. docs/EVALUATION.md says how a benchmark's folder is laid out.`
      throw new StreamError('EVAL_DATA_NOT_FOUND', message, { cause })
    })
    this.#hash.update(`${name}\n`).update(bytes)
    return bytes
  }

  async text(name: string): Promise<string> {
    return Buffer.from(await this.bytes(name)).toString('utf8')
  }

  /** A file of JSON. @param prepare Changes the text before it is parsed. */
  async json<T>(name: string, schema: z.ZodType<T>, prepare: (text: string) => string = (text) => text): Promise<T> {
    const text = await this.text(name)
    return this.#checked(name, schema, () => JSON.parse(prepare(text)) as unknown)
  }

  /** A file with a line of JSON a row; empty lines are passed over. */
  async jsonLines<T>(name: string, row: z.ZodType<T>): Promise<readonly T[]> {
    const lines = (await this.text(name)).split('\n').filter((line) => line.trim() !== '')
    return lines.map((line, place) => this.#checked(`${name}, line ${place + 1}`, row, () => JSON.parse(line) as unknown))
  }

  /** A file of parquet. */
  async parquet<T>(name: string, rows: z.ZodType<T>): Promise<T> {
    const bytes = await this.bytes(name)
    const file: AsyncBuffer = {
      byteLength: bytes.byteLength,
      slice: (start, end) => new Uint8Array(bytes.subarray(start, end)).buffer,
    }
    const read = await parquetReadObjects({ file }).catch((cause: unknown) => {
      throw this.#invalid(name, cause instanceof Error ? cause.message : String(cause), cause)
    })
    return this.#checked(name, rows, () => read)
  }

  /** The error for a file that holds something else than it should. */
  invalid(name: string, reason: string): StreamError {
    return this.#invalid(name, reason)
  }

  #checked<T>(name: string, schema: z.ZodType<T>, parse: () => unknown): T {
    const value = this.#parsed(name, parse)
    const checked = schema.safeParse(value)
    if (checked.success) return checked.data
    throw this.#invalid(name, describeMistakes(checked.error))
  }

  #parsed(name: string, parse: () => unknown): unknown {
    try {
      return parse()
    } catch (error) {
      throw this.#invalid(name, error instanceof Error ? error.message : String(error), error)
    }
  }

  #invalid(name: string, reason: string, cause?: unknown): StreamError {
    const message = `${this.path(name)} is not as the benchmark publishes it: ${reason.slice(0, 500)}. Copy it again.`
    return new StreamError('EVAL_DATA_INVALID', message, { cause })
  }
}
