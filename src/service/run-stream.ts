import { EMPTY, catchError, concat, defer, finalize, identity, isObservable, map, takeUntil, tap, throwError } from 'rxjs'
import type { Observable } from 'rxjs'

import { StreamError, abortError } from '../errors.js'
import type { Result } from '../envelope.js'
import { originOf } from '../origin.js'
import type { RunModel } from '../operators/run-context.js'
import type { FrameStream } from '../sources/source.js'
import type { Frame, StreamInfo } from '../types.js'
import { whenAborted } from './abort.js'
import type { Pipeline } from './define-pipeline.js'
import type { Delivery } from './deliver.js'
import type { RunEvent, StreamOutcome } from './events.js'

/** What streams run with. */
export interface StreamsContext {
  readonly pipeline: Pipeline
  readonly model: RunModel
  /** Asks for the drain. */
  readonly stop: AbortSignal
  readonly emit: (event: RunEvent) => void
  /** Takes the error of a stream; the others go on. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Runs the pipeline's chain for one stream; emits its results, each with its receipt. Never errors.
 *
 * A failure is reported and ends this stream alone. On `stop` no frame is taken any more; frames and
 * questions that were taken are finished, and a window that is still open is let go.
 */
export function runStream(stream: FrameStream, context: StreamsContext): Observable<Delivery> {
  const { info } = stream
  let outcome: StreamOutcome = 'stopped'
  let failure: Error | undefined

  const handle = (error: unknown): Observable<never> => {
    if (isOurStop(error, context.stop)) return EMPTY
    outcome = 'error'
    failure = toError(error)
    if (stream.handles?.(error) !== true) context.onFailure(error)
    return EMPTY
  }
  const report = (): void => {
    const streamId = info.id
    // A failure says more than what was noticed on the way to it.
    const warnings = failure === undefined ? info.health().warnings : []
    for (const message of warnings) context.emit({ kind: 'stream-warning', streamId, message })
    const error = failure === undefined ? {} : { error: failure }
    context.emit({ kind: 'stream-end', streamId, outcome, counts: info.ledger.counts(), ...error })
  }
  return defer(() => {
    context.emit({ kind: 'stream-start', streamId: info.id, epoch: info.epoch })
    return chainOf(stream, context)
  }).pipe(
    tap({ complete: () => void (outcome = 'complete') }),
    stream.revoked === undefined ? identity : takeUntil(whenAborted(stream.revoked)),
    map((result) => toDelivery(result, info)),
    catchError(handle),
    finalize(report),
  )
}

function toDelivery(result: Result, { ledger, transaction }: StreamInfo): Delivery {
  const { need } = originOf(result)
  const entry = { id: result.id, ...(need === undefined ? {} : { need }) }
  return { result, receipt: ledger.delivery(entry), entry, ...(transaction === undefined ? {} : { transaction }) }
}

function chainOf({ info, frames }: FrameStream, { pipeline, model, stop }: StreamsContext): Observable<Result> {
  const chain: unknown = pipeline.stream(untilStopped(frames, stop), { model, stream: info })
  if (isObservable(chain)) return chain as ReturnType<Pipeline['stream']>
  const message = `\`stream\` of ${pipeline.name} returned no Observable: return frames.pipe(…).`
  throw new StreamError('PIPELINE_INVALID', message)
}

/** Frames until the stop; then an error, so that a window that is still open isn't taken for a whole one. */
function untilStopped(frames: Observable<Frame>, stop: AbortSignal): Observable<Frame> {
  const atTheEnd = defer(() => (stop.aborted ? throwError(() => abortError('The stream', stop.reason)) : EMPTY))
  return concat(frames.pipe(takeUntil(whenAborted(stop))), atTheEnd)
}

/** What was thrown, as an error. */
export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function isOurStop(error: unknown, stop: AbortSignal): boolean {
  return stop.aborted && error instanceof StreamError && error.code === 'ABORTED'
}
