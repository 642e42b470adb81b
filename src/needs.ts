import type { Changes } from './ledger-column.js'

/**
 * What must be looked at again to make something anew: all frames of the stream from a position on.
 *
 * A stream that can be read again (a Kafka key) resumes at the smallest position that anything still needs.
 */
export interface Need {
  /** Position of the first frame that is needed. */
  readonly from: number
  /** The window that the frames belong to, as it was before the first of them; none for whoever has no state. */
  readonly window?: WindowMark
}

/** The state of one window operator of a stream, small enough to be kept beside the stream's offset. */
export interface WindowMark {
  /** Place of the operator among those of its stream, counted from 0 in the order of their first frames. */
  readonly place: number
  /** Position of the first frame to take again; none where no frame is held. */
  readonly from?: number
  /** Where no frame is held: the position of the last one that was dealt with. */
  readonly after?: number
  /** The epoch that the state is of; another one begins without any. */
  readonly epoch: number
  /** What the operator's rule can't tell from the frames themselves. */
  readonly state: Readonly<Record<string, number>>
}

/** A window operator's place in its stream's ledger. */
export interface WindowPlace {
  readonly place: number
  /** Where an earlier process left off; frames before its `from` were dealt with. */
  readonly restored: WindowMark | undefined
  /** Tells which frames are held now; undefined: none, and no state. */
  hold(mark: Omit<WindowMark, 'place'> | undefined): void
}

/** A result on its way to the sinks. */
export interface DeliveryEntry {
  /** The result's id. */
  readonly id: string
  readonly need?: Need
}

/** The entries of a column that are not settled. */
interface Unsettled<Detail> {
  readonly open: ReadonlyMap<unknown, Detail>
}

interface NeedsSetup {
  readonly frames: Unsettled<Need>
  readonly questions: Unsettled<Need | undefined>
  readonly deliveries: Unsettled<DeliveryEntry | undefined>
  /** States that an earlier process left. */
  readonly windows: readonly WindowMark[]
  readonly changes: Changes
}

/** Knows from which position on a stream must be read again so that nothing unsettled is lost. */
export class Needs {
  readonly #setup: NeedsSetup
  /** What was let go before it was through, because somebody stopped: to be read again by whoever comes next. */
  #abandoned: Need | undefined
  /** What each window operator holds now, by its place. */
  readonly #held: (Omit<WindowMark, 'place'> | undefined)[] = []

  constructor(setup: NeedsSetup) {
    this.#setup = setup
  }

  window(): WindowPlace {
    const place = this.#held.push(undefined) - 1
    const restored = this.#setup.windows.find((mark) => mark.place === place)
    // Until its first frame comes it is where it was left.
    this.#held[place] = restored
    return {
      place,
      restored,
      hold: (mark) => {
        this.#held[place] = mark
        this.#setup.changes.emit()
      },
    }
  }

  /** Keeps needing what was let go by a stop. Only the oldest counts, as all after it is read again, too. */
  abandon(need: Need): void {
    if (need.from < (this.#abandoned?.from ?? Infinity)) this.#abandoned = need
  }

  oldest(except: ReadonlySet<unknown> = new Set()): number | undefined {
    const positions = [
      ...this.#setup.frames.open.values(),
      ...this.#pending(except),
      ...this.#held.flatMap((mark) => (mark?.from === undefined ? [] : [{ from: mark.from }])),
    ].map(({ from }) => from)
    return positions.length === 0 ? undefined : Math.min(...positions)
  }

  /** For each operator the mark of its oldest clip that isn't through yet, else what it holds now. */
  marks(except: ReadonlySet<unknown> = new Set()): readonly WindowMark[] {
    const oldest = new Map<number, WindowMark>()
    for (const { window } of this.#pending(except)) {
      if (window === undefined) continue
      const known = oldest.get(window.place)
      if (known === undefined || fromOf(window) < fromOf(known)) oldest.set(window.place, window)
    }
    for (const [place, mark] of this.#held.entries()) {
      if (mark !== undefined && !oldest.has(place)) oldest.set(place, { place, ...mark })
    }
    // Operators that have seen no frame yet are where they were left.
    const waiting = this.#setup.windows.filter(({ place }) => place >= this.#held.length)
    return [...oldest.values(), ...waiting].sort((one, other) => one.place - other.place)
  }

  /** What the questions and deliveries that are not through need. */
  #pending(except: ReadonlySet<unknown>): readonly Need[] {
    const { questions, deliveries } = this.#setup
    const abandoned = this.#abandoned === undefined ? [] : [this.#abandoned]
    const delivering = [...deliveries.open].filter(([receipt]) => !except.has(receipt)).map(([, entry]) => entry?.need)
    return [...abandoned, ...questions.open.values(), ...delivering].filter((need) => need !== undefined)
  }
}

function fromOf({ from }: WindowMark): number {
  return from ?? Infinity
}
