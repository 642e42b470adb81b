import type { LedgerCounts } from '../ledger-counts.js'
import type { ModelInfo } from '../model/model.js'
import type { AnswerEvent } from '../operators/run-context.js'
import type { SinkNotice } from '../sinks/sink.js'
import type { SourceNotice } from '../sources/source.js'

/** How a stream ended. */
export type StreamOutcome = 'complete' | 'stopped' | 'error'

/** What happens to the model before the first frame. */
export type ModelEvent =
  /** The embedded demo model is being built into the user's cache; only at its first use. */
  | { readonly kind: 'model-build'; readonly stage: string; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'model-ready'; readonly model: ModelInfo }

/** What happens to sources and their streams. */
export type StreamEvent =
  | { readonly kind: 'source-added' | 'source-paused' | 'source-resumed'; readonly sourceId: string }
  /** A source was removed; with what all its streams counted. */
  | { readonly kind: 'source-removed'; readonly sourceId: string; readonly counts: LedgerCounts }
  /** A source tells of itself: a reconnect, a lag, a dead letter. */
  | { readonly kind: 'source-notice'; readonly sourceId: string; readonly notice: SourceNotice }
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

/** What happens to the run as a whole. */
export type ServiceEvent =
  /** A sink tells of itself: the other end is down, results wait on disk. */
  | { readonly kind: 'sink-notice'; readonly sink: string; readonly notice: SinkNotice }
  /** No frame is taken any more; what was taken is being finished. */
  | { readonly kind: 'drain-start'; readonly timeoutMs: number }
  /** The time for draining is over: what was not finished is let go. */
  | { readonly kind: 'drain-timeout'; readonly counts: LedgerCounts }

/** Everything `run.events$` tells, by `kind`. More kinds may come: ignore those you don't know. */
export type RunEvent = AnswerEvent | ModelEvent | ServiceEvent | StreamEvent
