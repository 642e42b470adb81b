/** A clock that goes while brokers are heard, and stands still while they are not: silence is only what could be heard. */
export class HeardClock {
  readonly #now: () => number
  readonly #longestMs: number
  #lastMs: number | undefined
  #nowMs = 0

  /**
   * @param longestMs Longest time between two answers of brokers that are there.
   * @param now Milliseconds, never falling.
   */
  constructor(longestMs: number, now: () => number = () => performance.now()) {
    this.#longestMs = longestMs
    this.#now = now
  }

  /** Milliseconds during which brokers were heard. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** A broker has answered. */
  heard(): void {
    const nowMs = this.#now()
    const passedMs = nowMs - (this.#lastMs ?? nowMs)
    if (passedMs <= this.#longestMs) this.#nowMs += passedMs
    this.#lastMs = nowMs
  }
}
