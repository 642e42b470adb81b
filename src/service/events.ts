import type { LedgerCounts } from '../ledger.js'
import type { ModelInfo } from '../model/model.js'
import type { AnswerEvent } from '../operators/run-context.js'

/** How a stream ended. */
export type StreamOutcome = 'complete' | 'stopped' | 'error'

/** What happens to the model before the first frame. */
export type ModelEvent =
  /** The embedded demo model is being built into the user's cache; only at its first use. */
  | { readonly kind: 'model-build'; readonly stage: string; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'model-ready'; readonly model: ModelInfo }

/** What happens to sources and their streams. */
export type StreamEvent =
  | { readonly kind: 'stream-start'; readonly streamId: string; readonly epoch: number }
  /** Something is wrong with what the stream gave; its results say so too. */
  | { readonly kind: 'stream-warning'; readonly streamId: string; readonly message: string }
  /** All results of the stream are on their way to the sinks. */
  | {
      readonly kind: 'stream-end'
      readonly streamId: string
      readonly outcome: StreamOutcome
      readonly counts: LedgerCounts
      readonly error?: Error
    }
  /** A source could not go on finding streams. */
  | { readonly kind: 'source-error'; readonly sourceId: string; readonly error: Error }

/** Everything `run.events$` tells, by `kind`. More kinds may come: ignore those you don't know. */
export type RunEvent = AnswerEvent | ModelEvent | StreamEvent
