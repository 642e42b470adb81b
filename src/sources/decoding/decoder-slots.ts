import { availableParallelism } from 'node:os'

import { expectInteger } from '../../checks.js'
import { abortError, throwIfAborted } from '../../errors.js'

/** Pictures that a decoder gives in a row while others wait. */
const PICTURES_A_TURN = 64

const WAITING = 'Waiting for a decoder'

/**
 * Lets few decoders work at the same time; the others wait in the order they came.
 *
 * A decoder counts while somebody waits for its next picture. One that nobody reads sleeps at its full pipe: it
 * keeps its place only until another wants it. So a stream that is paused or slow holds no other back, and one
 * that waits holds no place: there is no deadlock. Nor can a long file keep others waiting: while there are
 * any, its turn ends after 64 pictures.
 */
export class DecoderSlots {
  readonly #most: number
  #taken = 0
  /** What gives each that waits its place, in order. */
  readonly #waiting = new Set<() => void>()
  /** Those that have a place and no use for it at the moment. */
  readonly #resting = new Set<DecoderSlot>()
  #isReclaiming = false

  /** @param most Decoders that work at the same time. */
  constructor(most: number) {
    this.#most = most
  }

  /** Waits for a place, in turn. Rejects with `ABORTED`. */
  async take(signal: AbortSignal): Promise<DecoderSlot> {
    const slot = new DecoderSlot(this)
    await slot.wake(signal)
    return slot
  }

  /** A free place: for work that isn't needed yet. While anybody waits there is none. */
  tryTake(): DecoderSlot | undefined {
    if (this.#taken >= this.#most) return undefined
    this.#taken += 1
    return new DecoderSlot(this, true)
  }

  get isWantedByOthers(): boolean {
    return this.#waiting.size > 0
  }

  /** Waits in turn; `begin` is called with the place taken, at once where one is free. Rejects with `ABORTED`. */
  claim(begin: () => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal, WAITING)
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        begin()
        resolve()
      }
      const leave = (): void => {
        this.#waiting.delete(start)
        reject(abortError(WAITING, signal.reason))
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.add(start)
      this.#handOut()
      this.#reclaimSoon()
    })
  }

  giveBack(): void {
    this.#taken -= 1
    this.#handOut()
  }

  setResting(slot: DecoderSlot, isResting: boolean): void {
    if (!isResting) {
      this.#resting.delete(slot)
      return
    }
    this.#resting.add(slot)
    this.#reclaimSoon()
  }

  #handOut(): void {
    for (const start of this.#waiting) {
      if (this.#taken >= this.#most) return
      this.#waiting.delete(start)
      this.#taken += 1
      start()
    }
  }

  /** Later, as whoever was just handed a picture may ask for the next within this turn of the event loop. */
  #reclaimSoon(): void {
    if (this.#isReclaiming || this.#waiting.size === 0 || this.#resting.size === 0) return
    this.#isReclaiming = true
    setImmediate(() => {
      this.#isReclaiming = false
      for (const slot of [...this.#resting].slice(0, this.#waiting.size)) slot.release()
    })
  }
}

/** The place of one decoder among those that may work at the same time. */
export class DecoderSlot {
  readonly #slots: DecoderSlots
  #hasPlace: boolean
  #pictures = 0

  constructor(slots: DecoderSlots, hasPlace = false) {
    this.#slots = slots
    this.#hasPlace = hasPlace
  }

  /** Waits until the decoder may work; to be called before each picture is asked for. Rejects with `ABORTED`. */
  async wake(signal: AbortSignal): Promise<void> {
    this.#slots.setResting(this, false)
    if (this.#pictures >= PICTURES_A_TURN && this.#slots.isWantedByOthers) this.release()
    if (!this.#hasPlace) await this.#slots.claim(this.#begin, signal)
    this.#pictures += 1
  }

  readonly #begin = (): void => {
    this.#hasPlace = true
    this.#pictures = 0
  }

  /** Nobody asks for the next picture yet: whoever waits may work in its place. */
  rest(): void {
    if (this.#hasPlace) this.#slots.setResting(this, true)
  }

  /** Gives the place up. Harmless where it was given up or taken away. */
  release(): void {
    this.#slots.setResting(this, false)
    if (!this.#hasPlace) return
    this.#hasPlace = false
    this.#slots.giveBack()
  }
}

/** Names the most decoders that work at the same time. */
const MOST_DECODERS = 'TINYLLAVA_STREAM_DECODERS'

/**
 * How many decoders of files may work at the same time in this process: `TINYLLAVA_STREAM_DECODERS`, else one for
 * each core.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function mostDecoders({ [MOST_DECODERS]: named }: Readonly<Record<string, string | undefined>> = process.env): number {
  if (named === undefined || named === '') return availableParallelism()
  return expectInteger(MOST_DECODERS, /^\d+$/.test(named) ? Number(named) : named, 1)
}

let shared: DecoderSlots | undefined

/**
 * The places for the decoders of all files that this process reads. Cameras have none: a live stream that waits
 * loses pictures.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function fileDecoderSlots(): DecoderSlots {
  shared ??= new DecoderSlots(mostDecoders())
  return shared
}
