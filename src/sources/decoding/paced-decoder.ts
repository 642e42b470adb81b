import type { DecodedPicture, RunningJob } from './decode-job.js'
import type { DecoderSlot } from './decoder-slots.js'

/** A decoder that works only while it has a place among those that may. */
export class PacedDecoder {
  readonly #slot: DecoderSlot
  readonly #job: RunningJob
  readonly #pictures: AsyncIterator<DecodedPicture>
  /** The first picture, where it was asked for before anybody needed it. */
  #first: Promise<DecodedPicture | undefined> | undefined

  /**
   * @param start Starts the decoder.
   * @param slot A place that is taken already; given up where the decoder can't be started.
   */
  constructor(start: () => RunningJob, slot: DecoderSlot) {
    this.#slot = slot
    try {
      this.#job = start()
    } catch (error) {
      slot.release()
      throw error
    }
    this.#pictures = this.#job.pictures[Symbol.asyncIterator]()
  }

  /** Reads its first picture, which is kept, and sleeps then. */
  workAhead(): void {
    this.#first = this.#read()
    // Who asks for it hears of the error; after an end nobody does.
    this.#first.catch(() => undefined)
  }

  /** The next picture, once it is its turn; undefined after the last. Rejects with `ABORTED`, or what the job fails with. */
  async next(signal: AbortSignal): Promise<DecodedPicture | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return await first
    await this.#slot.wake(signal)
    return await this.#read()
  }

  async #read(): Promise<DecodedPicture | undefined> {
    try {
      const next = await this.#pictures.next()
      return next.done === true ? undefined : next.value
    } finally {
      this.#slot.rest()
    }
  }

  /** Ends the decoder at once. Harmless when it has ended. */
  end(): void {
    this.#job.kill()
    this.#slot.release()
  }
}
