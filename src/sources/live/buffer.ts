import { StreamError } from '../../errors.js'

/** What a full buffer does with a value that arrives. */
export type WhenFull =
  /** The oldest one that waits is dropped: what is handed on is as new as can be. */
  | 'latest'
  /** The arriving one is dropped: what waits is handed on without a gap. */
  | 'oldest'
  /** The stream ends with `LIVE_BUFFER_FULL`. */
  | 'error'

/** Every value of `WhenFull`. */
export const WHEN_FULL = ['latest', 'oldest', 'error'] as const satisfies readonly WhenFull[]

/** How a live buffer is bounded. */
export interface LiveBufferOptions {
  /** Most values that wait; at least 1. */
  readonly capacity: number
  readonly whenFull: WhenFull
}

/**
 * Holds what a live stream gave and nobody took yet, in order, never more than its capacity.
 *
 * ```
 * capacity 2       add a  add b  add c     take
 * latest           a      ab     bc  (-a)  b
 * oldest           a      ab     ab  (-c)  a
 * error            a      ab     throws    a
 * ```
 */
export class LiveBuffer<T> {
  readonly #waiting: T[] = []
  readonly #capacity: number
  readonly #whenFull: WhenFull

  constructor({ capacity, whenFull }: LiveBufferOptions) {
    this.#capacity = capacity
    this.#whenFull = whenFull
  }

  get length(): number {
    return this.#waiting.length
  }

  /**
   * Takes a value in; gives the values that were dropped for want of room, which may be that one.
   *
   * @throws {StreamError} `LIVE_BUFFER_FULL`, with the rule `error`; the value is not held.
   */
  add(value: T): readonly T[] {
    const isFull = this.#waiting.length >= this.#capacity
    if (isFull && this.#whenFull === 'error') throw fullError(this.#capacity)
    if (isFull && this.#whenFull === 'oldest') return [value]
    this.#waiting.push(value)
    return isFull ? this.#waiting.splice(0, 1) : []
  }

  /** Takes the oldest value out; undefined where none waits. */
  take(): T | undefined {
    return this.#waiting.shift()
  }

  /** Takes every value out, oldest first. */
  clear(): readonly T[] {
    return this.#waiting.splice(0)
  }
}

function fullError(capacity: number): StreamError {
  return new StreamError(
    'LIVE_BUFFER_FULL',
    `More than ${capacity} frames of a live stream were waiting, and its rule is to end then. Sample fewer frames, ` +
      "use a smaller model, raise `bufferFrames`, or let it drop frames (`whenFull: 'latest'`).",
  )
}
