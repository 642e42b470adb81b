import { EMPTY, catchError, defer, filter, finalize, mergeMap, takeUntil, tap } from 'rxjs'
import type { Observable } from 'rxjs'

import type { DeliveryMode } from '../delivery.js'
import type { FrameStream, SourceNotice } from '../sources/source.js'
import { forManyListeners, whenAborted } from './abort.js'
import type { Delivery } from './deliver.js'
import { inTurn } from './in-turn.js'
import { runStream, toError } from './run-stream.js'
import type { StreamsContext } from './run-stream.js'
import type { SourceEntry } from './source-entry.js'
import { StreamTurns } from './stream-turns.js'

/** Finite streams that are read at the same time: the next file is decoded while one is answered. */
const MOST_FINITE_STREAMS = 2

/** What sources run with; a failure is told to the source's entry. */
export interface SourcesContext extends Omit<StreamsContext, 'onFailure'> {
  readonly delivery: DeliveryMode
}

/**
 * Runs the pipeline's chain once for each stream of its sources; emits the results of all. Never errors.
 *
 * Live streams all run at once, finite ones two at a time: the others wait and are not opened yet, so
 * that memory doesn't grow with the number of files. A source or a stream that fails is reported, and
 * the others go on. On `stop` no stream is begun any more, and those that wait are let go.
 *
 * The limit is the run's and not each source's, as each file may be a source of its own. A source that keeps
 * account of what was delivered (Kafka) has one of its own: messages don't wait for hours of files.
 */
export function runStreams(entries: Observable<SourceEntry>, context: SourcesContext): Observable<Delivery> {
  return defer(() => {
    const shared = new StreamTurns(MOST_FINITE_STREAMS)
    return entries.pipe(
      mergeMap((entry) => {
        const turns = entry.source.open === undefined ? shared : new StreamTurns(MOST_FINITE_STREAMS)
        return runSource(entry, context, turns)
      }),
    )
  })
}

function runSource(entry: SourceEntry, given: SourcesContext, turns: StreamTurns): Observable<Delivery> {
  const stop = forManyListeners(AbortSignal.any([given.stop, entry.stop.signal]))
  const context = { ...given, stop }
  const pauses = entry.pauseChanges.subscribe(() => {
    turns.fill()
  })
  return streamsOf(entry, context).pipe(
    inTurn(entry, { turns, stop }),
    mergeMap(({ stream, end }) => runFound(stream, entry, context).pipe(finalize(end))),
    finalize(() => {
      pauses.unsubscribe()
    }),
  )
}

function runFound(stream: FrameStream, entry: SourceEntry, context: SourcesContext): Observable<Delivery> {
  return defer(() => {
    const notices = stream.notices?.subscribe((notice) => {
      context.emit({ kind: 'source-notice', sourceId: entry.source.id, notice })
    })
    const onFailure = (error: unknown): void => {
      entry.fail(error)
    }
    return runStream(stream, { ...context, onFailure }).pipe(
      finalize(() => {
        notices?.unsubscribe()
        // Its last results may still be on their way: the stream is over when the sinks have them.
        void stream.info.ledger.whenDeliveriesBelow(1).then(() => {
          entry.delete(stream)
        })
      }),
    )
  })
}

function streamsOf(entry: SourceEntry, context: SourcesContext): Observable<FrameStream> {
  return found(entry, context).pipe(
    tap((stream) => {
      entry.add(stream)
    }),
    catchError((error: unknown) => {
      context.emit({ kind: 'source-error', sourceId: entry.source.id, error: toError(error) })
      entry.fail(error)
      return EMPTY
    }),
    finalize(() => {
      entry.endSearch()
    }),
  )
}

/** A source that keeps account of what was delivered ends by itself after the stop; any other is left. */
function found({ source }: SourceEntry, { stop, delivery, emit }: SourcesContext): Observable<FrameStream> {
  if (source.open === undefined) return source.streams.pipe(takeUntil(whenAborted(stop)))
  const notify = (notice: SourceNotice): void => {
    emit({ kind: 'source-notice', sourceId: source.id, notice })
  }
  return source.open({ stop, delivery, notify }).pipe(filter(() => !stop.aborted))
}
