import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { hasCode } from './sink-failed.js'

/** Where the first waiting line begins. */
export interface HeadPosition {
  /** Number of its segment. */
  readonly number: number
  /** Offset in that, in bytes. */
  readonly offset: number
}

/** Widths of both numbers: as wide as the largest, as they are written over each other. */
const [NUMBER_WIDTH, OFFSET_WIDTH] = [12, 16]

/** The small file that says how much of a spill was taken. */
export class SpillHead {
  readonly #handle: FileHandle

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Opens the file, or makes it. */
  static async open(folder: string): Promise<SpillHead> {
    const path = join(folder, 'head')
    const handle = await open(path, 'r+').catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return open(path, 'w+')
      throw error
    })
    return new SpillHead(handle)
  }

  /** The position that was saved last; one that makes no sense is as if nothing had been taken. */
  async read(): Promise<HeadPosition> {
    const [, number = '0', offset = '0'] = /^(\d{12}) (\d{16})\n$/.exec(await this.#handle.readFile('utf8')) ?? []
    return { number: Number(number), offset: Number(offset) }
  }

  async save({ number, offset }: HeadPosition): Promise<void> {
    const [first, second] = [String(number).padStart(NUMBER_WIDTH, '0'), String(offset).padStart(OFFSET_WIDTH, '0')]
    await this.#handle.write(`${first} ${second}\n`, 0)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
