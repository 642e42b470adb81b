import { type Observable, type OperatorFunction, concatMap, map, throwIfEmpty } from 'rxjs'

import { StreamError } from '../errors.js'
import type { Source } from '../sources/source.js'
import type { Frame } from '../types.js'
import { expectFirst } from './expect-first.js'

/**
 * Runs a chain of operators over the one video of a source.
 *
 * ```
 * streams         --v-------|
 * oneVideo(work)  ----r-r---|    r: what `work` makes of v's frames
 * ```
 *
 * Errors with `PIPELINE_INVALID` at a second video, with `VIDEO_NO_FRAMES` where nothing came out.
 */
export function oneVideo<Out>({ id, streams }: Source, work: OperatorFunction<Frame, Out>): Observable<Out> {
  return streams.pipe(
    map(expectFirst),
    concatMap(({ frames }) => frames.pipe(work)),
    throwIfEmpty(() => new StreamError('VIDEO_NO_FRAMES', `The source "${id}" gave no frame to ask about.`)),
  )
}
