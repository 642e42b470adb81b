import { EMPTY, catchError, defer, filter, finalize, groupBy, map, mergeMap, takeUntil, tap } from 'rxjs'
import type { Observable } from 'rxjs'

import type { DeliveryMode } from '../delivery.js'
import type { FrameStream, SourceNotice } from '../sources/source.js'
import { forManyListeners, whenAborted } from './abort.js'
import type { Delivery } from './deliver.js'
import { runStream, toError } from './run-stream.js'
import type { StreamsContext } from './run-stream.js'
import type { SourceEntry } from './source-entry.js'

/** Finite streams that are read at the same time: the next file is decoded while one is answered. */
const MOST_FINITE_STREAMS = 2

/** A stream, and what it came from. */
interface FoundStream {
  readonly stream: FrameStream
  readonly entry: SourceEntry
  readonly context: StreamsContext
  /** A signal that follows others may be aborted after their listeners were called: this asks the others. */
  readonly isStopped: () => boolean
}

/** What sources run with. */
export interface SourcesContext extends StreamsContext {
  readonly delivery: DeliveryMode
}

/**
 * Runs the pipeline's chain once for each stream of its sources; emits the results of all. Never errors.
 *
 * Live streams all run at once, finite ones two at a time: the others wait and are not opened yet, so
 * that memory doesn't grow with the number of files. A source or a stream that fails is reported, and
 * the others go on. On `stop` no stream is begun any more.
 */
export function runStreams(entries: Observable<SourceEntry>, context: SourcesContext): Observable<Delivery> {
  return entries.pipe(
    mergeMap((entry) => streamsOf(entry, context)),
    groupBy(({ stream }) => stream.info.isLive),
    mergeMap((group) => group.pipe(mergeMap(begin, group.key ? Infinity : MOST_FINITE_STREAMS))),
  )
}

function begin({ stream, entry, context, isStopped }: FoundStream): Observable<Delivery> {
  const notices = stream.notices?.subscribe((notice) => {
    context.emit({ kind: 'source-notice', sourceId: entry.source.id, notice })
  })
  return defer(() => (isStopped() ? EMPTY : runStream(stream, context))).pipe(
    finalize(() => {
      notices?.unsubscribe()
      // Its last results may still be on their way: the stream is over when the sinks have them.
      void stream.info.ledger.whenDeliveriesBelow(1).then(() => {
        entry.delete(stream)
      })
    }),
  )
}

function streamsOf(entry: SourceEntry, context: SourcesContext): Observable<FoundStream> {
  const { source } = entry
  const signals = [context.stop, entry.stop.signal]
  const stop = forManyListeners(AbortSignal.any(signals))
  const isStopped = (): boolean => signals.some(({ aborted }) => aborted)
  const onFailure = (error: unknown): void => {
    entry.fail(error)
    context.onFailure(error)
  }
  return found(entry, { ...context, stop }).pipe(
    tap((stream) => {
      entry.add(stream)
    }),
    map((stream) => ({ stream, entry, context: { ...context, stop, onFailure }, isStopped })),
    catchError((error: unknown) => {
      context.emit({ kind: 'source-error', sourceId: source.id, error: toError(error) })
      onFailure(error)
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
