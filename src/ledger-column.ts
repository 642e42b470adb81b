import { abortError } from './errors.js'

/** Tells of changes, and lets others wait for one. */
export class Changes {
  readonly #listener: (() => void) | undefined
  readonly #waiting = new Set<() => void>()

  constructor(listener?: () => void) {
    this.#listener = listener
  }

  /**
   * Tells of a change. Whoever waits looks at it when the running code is through: between a frame's end and
   * the beginning of what is made of it, both in one turn, there is a moment at which nothing is open.
   */
  emit(): void {
    this.#listener?.()
    if (this.#waiting.size > 0) queueMicrotask(this.#wakeAll)
  }

  readonly #wakeAll = (): void => {
    for (const wake of [...this.#waiting]) wake()
  }

  /** Resolves once the condition is met, at once if it is. Rejects with `ABORTED`. */
  when(isMet: () => boolean, { what, signal }: { what: string; signal: AbortSignal | undefined }): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortError(`Waiting for ${what}`, signal.reason))
    if (isMet()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', abort)
      }
      const wake = (): void => {
        if (!isMet()) return
        finish()
        resolve()
      }
      const abort = (): void => {
        finish()
        reject(abortError(`Waiting for ${what}`, signal?.reason))
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

/** A promise to account for one entry of a column. */
export interface Entry<Outcome> {
  settle(outcome: Outcome): void
  readonly isSettled: boolean
}

/** One column of the ledger: what was opened, and how each entry was closed. */
export class Column<Outcome extends { readonly kind: string }, Detail> {
  opened = 0
  /** Entries that are not closed yet, in the order they were opened. */
  readonly open = new Map<Entry<Outcome>, Detail>()
  readonly outcomes = new Map<string, number>()
  readonly #noun: string
  readonly #changes: Changes
  readonly #keyOf: (outcome: Outcome) => string

  constructor(noun: string, changes: Changes, keyOf: (outcome: Outcome) => string = ({ kind }) => kind) {
    this.#noun = noun
    this.#changes = changes
    this.#keyOf = keyOf
  }

  get inFlight(): number {
    return this.open.size
  }

  count(key: string): number {
    return this.outcomes.get(key) ?? 0
  }

  /** @param onSettled Called before those who wait are. */
  add(detail: Detail, onSettled?: (outcome: Outcome) => void): Entry<Outcome> {
    let settledAs: string | undefined
    const entry: Entry<Outcome> = {
      settle: (outcome) => {
        const key = this.#keyOf(outcome)
        if (settledAs !== undefined) {
          throw new Error(`A ${this.#noun} was settled as ${key} after it had been settled as ${settledAs}.`)
        }
        settledAs = key
        this.open.delete(entry)
        this.outcomes.set(key, this.count(key) + 1)
        onSettled?.(outcome)
        this.#changes.emit()
      },
      get isSettled() {
        return settledAs !== undefined
      },
    }
    this.opened += 1
    this.open.set(entry, detail)
    return entry
  }
}
