import { StreamError } from './errors.js'
import { Changes, Column } from './ledger-column.js'
import type { LedgerCounts } from './ledger-counts.js'
import { Needs } from './needs.js'
import type { DeliveryEntry, Need, WindowMark, WindowPlace } from './needs.js'

/** How a frame's life ended. */
export type FrameOutcome =
  | { readonly kind: 'encoded' }
  /** Shows what a frame before it showed, and has its features. */
  | { readonly kind: 'static' }
  /** Handed on to another process, e.g. over a topic. */
  | { readonly kind: 'forwarded' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string }

/** How a question about a clip ended. */
export type QuestionOutcome = { readonly kind: 'answered' } | { readonly kind: 'failed'; readonly code: string }

/** How the delivery of one result to the sinks ended. */
export type DeliveryOutcome = { readonly kind: 'delivered' } | { readonly kind: 'failed'; readonly code: string }

/** A promise to account for one frame. Settling twice is a bug and throws. */
export interface Receipt {
  /** Place of the frame in what the source reads: a count, or the offset of its message. Never falls. */
  readonly position: number
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

/** How a ledger begins, and who listens. */
export interface LedgerOptions {
  /** Position of all frames, where they come from one place that is read again as a whole. @default each its own */
  readonly position?: number
  /** The window operators' states to resume from. @default none */
  readonly windows?: readonly WindowMark[]
  /** Called after each change of what is needed. */
  readonly onChange?: () => void
  /** Called for each result that the sinks have safe. */
  readonly onDelivered?: (entry: DeliveryEntry) => void
}

/**
 * Counts what became of every frame, question and result of one stream.
 *
 * Pacing, memory bounds, draining and the offset to resume from all derive from what is still unsettled
 * here, so there is one mechanism and not five.
 */
export interface Ledger {
  /** Hands a frame out. @param position Left out: the number of frames handed out before. */
  frame(position?: number): Receipt
  /** Asks a question of a clip. */
  question(need?: Need): QuestionReceipt
  /** Hands a result to the sinks. */
  delivery(entry?: DeliveryEntry): DeliveryReceipt
  /** Registers a window operator, which holds frames after they are encoded. */
  window(): WindowPlace
  /**
   * The smallest position that a frame, a window, a question or a delivery still needs; undefined: none.
   *
   * @param except Deliveries that are about to be safe.
   */
  oldestNeeded(except?: ReadonlySet<DeliveryReceipt>): number | undefined
  /** The window operators' states to go with `oldestNeeded`. */
  windows(except?: ReadonlySet<DeliveryReceipt>): readonly WindowMark[]
  /** Resolves once fewer than `limit` frames are unsettled and the stream isn't paused. Rejects with `ABORTED`. */
  whenFramesBelow(limit: number, signal?: AbortSignal): Promise<void>
  /** Resolves once fewer than `limit` questions are unsettled. Rejects with `ABORTED`. */
  whenQuestionsBelow(limit: number, signal?: AbortSignal): Promise<void>
  /** Resolves once fewer than `limit` results are on their way to the sinks. Rejects with `ABORTED`. */
  whenDeliveriesBelow(limit: number, signal?: AbortSignal): Promise<void>
  /** No frame is to be handed out until `resume`. */
  pause(): void
  resume(): void
  readonly isPaused: boolean
  /** Resolves once the stream is paused. Rejects with `ABORTED`. */
  whenPaused(signal?: AbortSignal): Promise<void>
  /** Resolves once the stream isn't paused. Rejects with `ABORTED`. */
  whenResumed(signal?: AbortSignal): Promise<void>
  counts(): LedgerCounts
}

const DROPPED = 'dropped:'
/** The reason of frames that were let go because somebody stopped. */
const STOPPED = 'stopped'

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
export function createLedger({ position: place, windows = [], onChange, onDelivered }: LedgerOptions = {}): Ledger {
  const changes = new Changes(onChange)
  const frames = new Column<FrameOutcome, Need>('frame', changes, (outcome) =>
    outcome.kind === 'dropped' ? `${DROPPED}${outcome.reason}` : outcome.kind,
  )
  const questions = new Column<QuestionOutcome, Need | undefined>('question', changes)
  const deliveries = new Column<DeliveryOutcome, DeliveryEntry | undefined>('delivery', changes)
  const needs = new Needs({ frames, questions, deliveries, windows, changes })
  const abandonIfStopped = (need: Need | undefined) => (outcome: AnyOutcome) => {
    if (need !== undefined && isStop(outcome)) needs.abandon(need)
  }
  let isPaused = false
  const setPaused = (value: boolean): void => {
    isPaused = value
    changes.emit()
  }
  const when = (isMet: () => boolean, what: string, signal?: AbortSignal) => changes.when(isMet, { what, signal })

  return {
    frame: (position = place ?? frames.opened) => {
      const need: Need = { from: position }
      return Object.assign(frames.add(need, abandonIfStopped(need)), { position })
    },
    question: (need) => questions.add(need, abandonIfStopped(need)),
    delivery: (entry) => {
      const abandon = abandonIfStopped(entry?.need)
      return deliveries.add(entry, (outcome) => {
        abandon(outcome)
        if (outcome.kind === 'delivered' && entry !== undefined) onDelivered?.(entry)
      })
    },
    window: () => needs.window(),
    oldestNeeded: (except) => needs.oldest(except),
    windows: (except) => needs.marks(except),
    whenFramesBelow: (limit, signal) => {
      const most = checkLimit(limit)
      return when(() => !isPaused && frames.inFlight < most, 'a frame', signal)
    },
    whenQuestionsBelow: (limit, signal) => {
      const most = checkLimit(limit)
      return when(() => questions.inFlight < most, 'a question', signal)
    },
    whenDeliveriesBelow: (limit, signal) => {
      const most = checkLimit(limit)
      return when(() => deliveries.inFlight < most, 'a delivery', signal)
    },
    pause: () => {
      setPaused(true)
    },
    resume: () => {
      setPaused(false)
    },
    get isPaused() {
      return isPaused
    },
    whenPaused: (signal) => when(() => isPaused, 'a pause', signal),
    whenResumed: (signal) => when(() => !isPaused, 'the end of a pause', signal),
    counts: () => ({
      handedOut: frames.opened,
      encoded: frames.count('encoded'),
      static: frames.count('static'),
      forwarded: frames.count('forwarded'),
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

type AnyOutcome = FrameOutcome | QuestionOutcome | DeliveryOutcome

/** Whether it ended only because somebody stopped, and not by itself. */
function isStop(outcome: AnyOutcome): boolean {
  if (outcome.kind === 'dropped') return outcome.reason === STOPPED
  return outcome.kind === 'failed' && outcome.code === 'ABORTED'
}

function checkLimit(limit: number): number {
  // A limit of 0 could never be met: the wait would be for ever.
  if (limit >= 1) return limit
  throw new StreamError('SETTING_INVALID', `Expected a limit >= 1 for unsettled receipts, got \`${limit}\`.`)
}
