/**
 * How long the least delayed arrival counts. A camera's clock is off by up to 0.1 ms a second: over two such
 * spans, the longest that one arrival can count, by a few milliseconds.
 */
const SPAN_MS = 30_000

/**
 * Estimates when pictures were taken from when they arrived.
 *
 * A picture is never early and often late (the network, a burst after a stall). So the smallest delay seen of
 * late tells how wall-clock time and media time lie to each other, and media time, which the camera keeps
 * evenly, does the rest. Only the last 30 to 60 seconds count: over weeks the two clocks drift apart.
 *
 * What is common to all pictures (exposure, encoding, the way here) can't be told, so the estimate is late by
 * that: some tenths of a second.
 */
export class LiveClock {
  #spanStartMs: number | undefined
  /** Smallest difference between arrival and media time in this span and in the one before. */
  #smallest = Infinity
  #smallestBefore = Infinity

  /**
   * Takes in a picture's media time and arrival; gives when it was taken, in wall-clock milliseconds.
   *
   * @param ptsMs Media time; never falls.
   * @param arrivedMs Wall-clock time in milliseconds.
   */
  takenAt(ptsMs: number, arrivedMs: number): number {
    this.#spanStartMs ??= ptsMs
    if (ptsMs - this.#spanStartMs >= SPAN_MS) {
      // After a gap of more than a span nothing from before counts.
      this.#smallestBefore = ptsMs - this.#spanStartMs >= 2 * SPAN_MS ? Infinity : this.#smallest
      this.#smallest = Infinity
      this.#spanStartMs = ptsMs
    }
    this.#smallest = Math.min(this.#smallest, arrivedMs - ptsMs)
    return ptsMs + Math.min(this.#smallest, this.#smallestBefore)
  }
}
