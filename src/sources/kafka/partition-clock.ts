/**
 * The time of a partition: that of its latest message so far, by the messages' own times. A key's silence is measured by
 * it, so that it is the same whenever the messages are read again, and whichever clock a key's own sender goes by.
 */
export class PartitionClock {
  /** From which message on it is how late, both rising; the first one stands for all before. */
  readonly #steps: { readonly offset: number; readonly ms: number }[]
  #nowMs: number

  /** @param nowMs What `at` gave for the offset that is gone on from. */
  constructor(nowMs = -Infinity) {
    this.#nowMs = nowMs
    this.#steps = [{ offset: -1, ms: nowMs }]
  }

  /** Milliseconds since 1970; -Infinity before the first message. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Takes a message in. Nothing where it was taken in before. */
  take({ offset, timestampMs }: { readonly offset: number; readonly timestampMs: number }): void {
    if (timestampMs <= this.#nowMs) return
    this.#nowMs = timestampMs
    this.#steps.push({ offset, ms: timestampMs })
  }

  /** What it was before the message at an offset. Nothing before that is asked for again. */
  at(offset: number): number {
    const behind = this.#steps.findIndex((step) => step.offset >= offset)
    this.#steps.splice(0, (behind === -1 ? this.#steps.length : behind) - 1)
    return this.#steps[0]?.ms ?? -Infinity
  }
}
