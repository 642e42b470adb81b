import { StreamError } from '../../../errors.js'

/** The stream was over where more was to come. Whoever knows why its writer stopped can say more. */
export class CutShortError extends StreamError {
  constructor() {
    super('VIDEO_DECODER_FAILED', 'The output of ffmpeg ended in the middle of a picture.')
  }
}

/** Reads single bytes and exact lengths off a stream of chunks, whatever their boundaries. Holds one chunk. */
export class BytesReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array()
  #place = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Whether the stream is over. Waits for the next chunk where that isn't known yet. */
  async isAtEnd(): Promise<boolean> {
    while (this.#place === this.#chunk.length) {
      const next = await this.#chunks.next()
      if (next.done === true) return true
      this.#chunk = next.value
      this.#place = 0
    }
    return false
  }

  /** @throws {CutShortError} The stream is over. */
  async byte(): Promise<number> {
    if (await this.isAtEnd()) throw new CutShortError()
    const value = this.#chunk[this.#place] ?? 0
    this.#place += 1
    return value
  }

  /**
   * The next `length` bytes, in memory of their own.
   *
   * @throws {CutShortError} The stream ends before.
   */
  async bytes(length: number): Promise<Uint8Array> {
    const result = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      if (await this.isAtEnd()) throw new CutShortError()
      const part = this.#chunk.subarray(this.#place, this.#place + length - filled)
      result.set(part, filled)
      filled += part.length
      this.#place += part.length
    }
    return result
  }
}
