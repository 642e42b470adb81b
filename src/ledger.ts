import { StreamError, abortError } from './errors.js'

/** How a frame's life ended. */
export type FrameOutcome =
  | { readonly kind: 'encoded' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string }

/** How a question about a clip ended. */
export type QuestionOutcome = { readonly kind: 'answered' } | { readonly kind: 'failed'; readonly code: string }

/** How the delivery of one result to the sinks ended. */
export type DeliveryOutcome = { readonly kind: 'delivered' } | { readonly kind: 'failed'; readonly code: string }

/** A promise to account for one frame. Settling twice is a bug and throws. */
export interface Receipt {
  /** Tells the ledger how the frame's life ended. */
  settle(outcome: FrameOutcome): void
  readonly isSettled: boolean
}

/** A promise to account for one question about one clip. Settling twice is a bug and throws. */
export interface QuestionReceipt {
  settle(outcome: QuestionOutcome): void
  readonly isSettled: boolean
}

/** A promise to account for one result on its way to the sinks. Settling twice is a bug and throws. */
export interface DeliveryReceipt {
  settle(outcome: DeliveryOutcome): void
  readonly isSettled: boolean
}

/**
 * A snapshot of a ledger. Always true:
 * `handedOut = encoded + skipped + Σ dropped + failed + framesInFlight`,
 * `asked = answered + questionsFailed + questionsInFlight` and
 * `results = delivered + deliveriesFailed + deliveriesInFlight`.
 */
export interface LedgerCounts {
  readonly handedOut: number
  readonly encoded: number
  readonly skipped: number
  /** Frames dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: number
  readonly framesInFlight: number
  readonly asked: number
  readonly answered: number
  readonly questionsFailed: number
  readonly questionsInFlight: number
  /** Results handed to the sinks. */
  readonly results: number
  readonly delivered: number
  readonly deliveriesFailed: number
  readonly deliveriesInFlight: number
}

/**
 * Counts what became of every frame, question and result of one stream.
 *
 * Pacing, memory bounds and draining all derive from what is still unsettled here, so there is
 * one mechanism and not four.
 */
export interface Ledger {
  /** Hands a frame out. */
  frame(): Receipt
  /** Asks a question of a clip. */
  question(): QuestionReceipt
  /** Hands a result to the sinks. */
  delivery(): DeliveryReceipt
  /** Resolves once fewer than `limit` frames are unsettled. Rejects with `ABORTED`. */
  whenFramesBelow(limit: number, signal?: AbortSignal): Promise<void>
  /** Resolves once fewer than `limit` questions are unsettled. Rejects with `ABORTED`. */
  whenQuestionsBelow(limit: number, signal?: AbortSignal): Promise<void>
  /** Resolves once fewer than `limit` results are on their way to the sinks. Rejects with `ABORTED`. */
  whenDeliveriesBelow(limit: number, signal?: AbortSignal): Promise<void>
  counts(): LedgerCounts
}

/** One column of the ledger: what was opened, and how each entry was closed. */
class Column<Outcome extends { readonly kind: string }> {
  opened = 0
  closed = 0
  readonly outcomes = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  readonly #noun: string
  readonly #keyOf: (outcome: Outcome) => string

  constructor(noun: string, keyOf: (outcome: Outcome) => string) {
    this.#noun = noun
    this.#keyOf = keyOf
  }

  get inFlight(): number {
    return this.opened - this.closed
  }

  count(key: string): number {
    return this.outcomes.get(key) ?? 0
  }

  open(): { settle(outcome: Outcome): void; readonly isSettled: boolean } {
    this.opened += 1
    let settledAs: string | undefined
    return {
      settle: (outcome) => {
        const key = this.#keyOf(outcome)
        if (settledAs !== undefined) {
          throw new Error(`A ${this.#noun} was settled as ${key} after it had been settled as ${settledAs}.`)
        }
        settledAs = key
        this.closed += 1
        this.outcomes.set(key, this.count(key) + 1)
        for (const wake of [...this.#waiting]) wake()
      },
      get isSettled() {
        return settledAs !== undefined
      },
    }
  }

  whenBelow(limit: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortError(`Waiting for a ${this.#noun}`, signal.reason))
    if (this.inFlight < limit) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', abort)
      }
      const wake = (): void => {
        if (this.inFlight >= limit) return
        finish()
        resolve()
      }
      const abort = (): void => {
        finish()
        reject(abortError(`Waiting for a ${this.#noun}`, signal?.reason))
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

const DROPPED = 'dropped:'

/**
 * Makes an empty ledger for one stream.
 *
 * @example
 * ```ts
 * const ledger = createLedger()
 * const receipt = ledger.frame()
 * receipt.settle({ kind: 'encoded' })
 * ledger.counts().encoded // 1
 * ```
 */
export function createLedger(): Ledger {
  const frames = new Column<FrameOutcome>('frame', (outcome) =>
    outcome.kind === 'dropped' ? `${DROPPED}${outcome.reason}` : outcome.kind,
  )
  const questions = new Column<QuestionOutcome>('question', (outcome) => outcome.kind)
  const deliveries = new Column<DeliveryOutcome>('delivery', (outcome) => outcome.kind)

  return {
    frame: () => frames.open(),
    question: () => questions.open(),
    delivery: () => deliveries.open(),
    whenFramesBelow: (limit, signal) => frames.whenBelow(checkLimit(limit), signal),
    whenQuestionsBelow: (limit, signal) => questions.whenBelow(checkLimit(limit), signal),
    whenDeliveriesBelow: (limit, signal) => deliveries.whenBelow(checkLimit(limit), signal),
    counts: () => ({
      handedOut: frames.opened,
      encoded: frames.count('encoded'),
      skipped: frames.count('skipped'),
      dropped: Object.fromEntries(
        [...frames.outcomes]
          .filter(([key]) => key.startsWith(DROPPED))
          .map(([key, count]) => [key.slice(DROPPED.length), count]),
      ),
      failed: frames.count('failed'),
      framesInFlight: frames.inFlight,
      asked: questions.opened,
      answered: questions.count('answered'),
      questionsFailed: questions.count('failed'),
      questionsInFlight: questions.inFlight,
      results: deliveries.opened,
      delivered: deliveries.count('delivered'),
      deliveriesFailed: deliveries.count('failed'),
      deliveriesInFlight: deliveries.inFlight,
    }),
  }
}

function checkLimit(limit: number): number {
  // A limit of 0 could never be met: the wait would be for ever.
  if (limit >= 1) return limit
  throw new StreamError('SETTING_INVALID', `Expected a limit >= 1 for unsettled receipts, got \`${limit}\`.`)
}
