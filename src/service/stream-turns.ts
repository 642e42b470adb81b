/** What streams come from, as far as turns go. */
export interface TurnSource {
  readonly isPaused: boolean
}

/** A stream that waits or is being read. */
interface Turn {
  readonly source: TurnSource
  readonly begin: (end: () => void) => void
}

/**
 * Lets few streams be read at the same time; the others wait, and are not opened yet.
 *
 * Sources have their turns one after the other, so that a folder of many files doesn't hold a single one
 * back. A paused source holds nobody back: its waiting streams are passed over, and those that were begun
 * don't count until it is resumed.
 *
 * **Memory**: `most` open streams, and those that were open when their source was paused.
 */
export class StreamTurns {
  readonly #most: number
  /** Streams that wait, by source; the source that had a turn last comes last. */
  readonly #waiting = new Map<TurnSource, Set<Turn>>()
  readonly #begun = new Set<Turn>()
  #isFillingSoon = false

  /** @param most Streams that are read at the same time. */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * Puts a stream behind the others of its source.
   *
   * @param begin Called when it is its turn, never at once; what it is given ends the turn.
   * @returns takes it out of the queue; too late once its turn has begun.
   */
  wait(source: TurnSource, begin: Turn['begin']): () => void {
    const turn: Turn = { source, begin }
    this.#waiting.set(source, (this.#waiting.get(source) ?? new Set()).add(turn))
    this.fill()
    return () => {
      this.#leave(turn)
    }
  }

  /**
   * Begins what may be begun; to be called after a pause or its end.
   *
   * Not at once, but when the running code is through: where all streams are ended one after the other, the
   * end of the first must not begin the next.
   */
  fill(): void {
    if (this.#isFillingSoon) return
    this.#isFillingSoon = true
    queueMicrotask(() => {
      this.#isFillingSoon = false
      for (let turn = this.#take(); turn !== undefined; turn = this.#take()) this.#begin(turn)
    })
  }

  #begin(turn: Turn): void {
    turn.begin(() => {
      this.#begun.delete(turn)
      this.fill()
    })
  }

  #take(): Turn | undefined {
    const reading = [...this.#begun].filter(({ source }) => !source.isPaused)
    if (reading.length >= this.#most) return undefined
    const turn = this.#first()
    if (turn === undefined) return undefined
    this.#leave(turn)
    this.#begun.add(turn)
    this.#putLast(turn.source)
    return turn
  }

  #putLast(source: TurnSource): void {
    const turns = this.#waiting.get(source)
    if (turns === undefined) return
    this.#waiting.delete(source)
    this.#waiting.set(source, turns)
  }

  #first(): Turn | undefined {
    for (const [source, [turn]] of this.#waiting) if (!source.isPaused) return turn
    return undefined
  }

  #leave(turn: Turn): void {
    const turns = this.#waiting.get(turn.source)
    turns?.delete(turn)
    if (turns?.size === 0) this.#waiting.delete(turn.source)
  }
}
