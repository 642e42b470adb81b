import { Observable, takeUntil } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import { expectInteger } from '../checks.js'
import { BoundedWork } from './bounded-work.js'
import type { BatchProject } from './bounded-work.js'

/** How much `mapBounded` may hold and do at once. */
export interface MapBoundedOptions<T> {
  /** Most batches under way, counting finished ones that wait for an earlier one. @default 1 */
  readonly concurrency?: number
  /** Most values in a batch. A batch never waits to fill up: it takes what is there. @default 1 */
  readonly batch?: number
  /** Most values that may wait to be begun. @default 64 */
  readonly queue?: number
  /** Places in the queue that a value takes: 0 lets it wait wherever one before it does. @default 1 for each */
  readonly placesOf?: (value: T) => number
  /** Called once for each value that was taken and whose result was never emitted. */
  readonly onDiscard?: (value: T) => void
}

/**
 * Maps values by asynchronous work, in order, with bounded work under way and a bounded queue.
 *
 * ```
 * values                             a-b-c------|
 * mapBounded(4 ticks of work each, { concurrency: 2 })
 * results                            ----A-B-C--|
 * ```
 *
 * The only operator that knows about concurrency and queues; `encode` and `answer` are thin calls on it.
 *
 * - **next**: the value waits until fewer than `concurrency` batches are held.
 * - **complete** and **error** of the source keep their place in the order: what was taken before is
 *   finished and emitted first, so a file that breaks in the middle gives the same results each time.
 * - an **error of the work** keeps its place too; work that was begun after it is discarded.
 * - **unsubscribe** aborts the signal and discards everything that is held.
 *
 * **Memory**: at most `queue + concurrency * batch` values and `concurrency * batch` results. RxJS can't
 * hold a source back: where one outruns the queue the pipeline is wrong, so the value is discarded, the
 * source left, and the output ends with `PIPELINE_INVALID` after what came before.
 *
 * @example
 * ```ts
 * clips.pipe(mapBounded(async ([clip], signal) => [await describe(clip, signal)], { concurrency: 2 }))
 * ```
 *
 * @param project The work. Its signal is aborted when the result is no longer wanted.
 * @param options Bounds, and what to do with discarded values.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function mapBounded<T, R>(
  project: BatchProject<T, R>,
  options: MapBoundedOptions<T> = {},
): OperatorFunction<T, R> {
  const limits = {
    concurrency: expectInteger('concurrency', options.concurrency ?? 1, 1),
    batch: expectInteger('batch', options.batch ?? 1, 1),
    queue: expectInteger('queue', options.queue ?? 64, 1),
  }
  return (source) =>
    new Observable((subscriber) => {
      const { placesOf = () => 1, onDiscard } = options
      const work = new BoundedWork({ project, limits, output: subscriber, placesOf, onDiscard })
      const input = source.pipe(takeUntil(work.isFull)).subscribe({
        next: (value) => {
          work.take(value)
        },
        error: (error: unknown) => {
          work.end({ error })
        },
        complete: () => {
          work.end({})
        },
      })
      return () => {
        input.unsubscribe()
        work.discard()
      }
    })
}
