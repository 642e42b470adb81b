import { EMPTY, catchError, defer, groupBy, merge, mergeMap, takeUntil } from 'rxjs'
import type { Observable } from 'rxjs'

import type { FrameStream, Source } from '../sources/source.js'
import { whenAborted } from './abort.js'
import type { Delivery } from './deliver.js'
import { runStream, toError } from './run-stream.js'
import type { StreamsContext } from './run-stream.js'

/** Finite streams that are read at the same time: the next file is decoded while one is answered. */
const MOST_FINITE_STREAMS = 2

/**
 * Runs the pipeline's chain once for each stream of its sources; emits the results of all. Never errors.
 *
 * Live streams all run at once, finite ones two at a time: the others wait and are not opened yet, so
 * that memory doesn't grow with the number of files. A source or a stream that fails is reported, and
 * the others go on. On `stop` no stream is begun any more.
 */
export function runStreams(context: StreamsContext): Observable<Delivery> {
  const { pipeline, stop } = context
  const begin = (stream: FrameStream) => defer(() => (stop.aborted ? EMPTY : runStream(stream, context)))
  return merge(...pipeline.sources.map((source) => streamsOf(source, context))).pipe(
    takeUntil(whenAborted(stop)),
    groupBy(({ info }) => info.isLive),
    mergeMap((group) => group.pipe(mergeMap(begin, group.key ? Infinity : MOST_FINITE_STREAMS))),
  )
}

function streamsOf(source: Source, { emit, onFailure }: StreamsContext): Observable<FrameStream> {
  return source.streams.pipe(
    catchError((error: unknown) => {
      emit({ kind: 'source-error', sourceId: source.id, error: toError(error) })
      onFailure(error)
      return EMPTY
    }),
  )
}
