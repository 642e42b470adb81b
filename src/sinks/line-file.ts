import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

import { hasCode, sinkFailed } from './sink-failed.js'

/** What to do at opening with a last line that a crash cut off. */
export type TornLine =
  /** Close it, so that the next line stands by itself. */
  | 'close'
  /** Remove it: nobody was told that it is safe. */
  | 'cut'

/**
 * A file that grows by whole lines.
 *
 * A line that could only be written in part (disk full) is taken back, so that the file is well-formed
 * at any time and the same line can be tried again.
 */
export class LineFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #isRegular: boolean
  #bytes: number
  /** A part of a line may stand at the end. */
  #mayBeTorn = false

  private constructor(path: string, handle: FileHandle, stats: Stats) {
    this.path = path
    this.#handle = handle
    this.#isRegular = stats.isFile()
    this.#bytes = stats.size
  }

  /**
   * Opens the file, or makes it; its directory must be there.
   *
   * @throws {StreamError} `SINK_FAILED`.
   */
  static async open(path: string, torn: TornLine): Promise<LineFile> {
    const handle = await open(path, 'a+').catch((error: unknown) => {
      throw sinkFailed(`Could not open ${path} for answers`, error)
    })
    try {
      const file = new LineFile(path, handle, await handle.stat())
      if (torn === 'cut') await file.#takeBack()
      else if (await file.#endsInHalfALine()) await file.append('\n')
      return file
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Whether it is a file, and no pipe or device. */
  get isRegular(): boolean {
    return this.#isRegular
  }

  /** Bytes written so far; before the first, as long as the file was when it was opened. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Appends a line, which ends with its line break; resolves when the operating system has all of it.
   *
   * @throws {StreamError} `SINK_FAILED`; then nothing of the line is in the file.
   */
  async append(line: string): Promise<void> {
    try {
      if (this.#mayBeTorn) await this.#takeBack()
      this.#mayBeTorn = true
      // Unlike `write`, which may stop half-way, this ends only when all is written.
      await this.#handle.appendFile(line)
      this.#mayBeTorn = false
      this.#bytes += Buffer.byteLength(line)
    } catch (error) {
      // If that fails too, the next call begins with it.
      await this.#takeBack().catch(() => undefined)
      throw sinkFailed(`Could not write to ${this.path}`, error)
    }
  }

  /** Makes what was written safe from a power cut. */
  async sync(): Promise<void> {
    try {
      await this.#handle.sync()
    } catch (error) {
      // A pipe or a device has nothing to make safe.
      if (hasCode(error, 'EINVAL') || hasCode(error, 'ENOTSUP')) return
      throw sinkFailed(`Could not finish ${this.path}`, error)
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  /** Cuts the file after its last whole line. */
  async #takeBack(): Promise<void> {
    if (!this.#isRegular) return
    const { size } = await this.#handle.stat()
    const end = await this.#endOfLastLine(size)
    if (end < size) await this.#handle.truncate(end)
    this.#bytes = end
    this.#mayBeTorn = false
  }

  async #endOfLastLine(size: number): Promise<number> {
    const block = Buffer.alloc(64 * 1024)
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - block.length)
      const { bytesRead } = await this.#handle.read(block, 0, end - start, start)
      const place = block.subarray(0, bytesRead).lastIndexOf('\n')
      if (place !== -1) return start + place + 1
      end = start
    }
    return 0
  }

  async #endsInHalfALine(): Promise<boolean> {
    return this.#isRegular && (await this.#endOfLastLine(this.#bytes)) < this.#bytes
  }
}
