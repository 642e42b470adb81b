import { Observable, Subscription } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import type { FrameStream } from '../sources/source.js'
import { whenAborted } from './abort.js'
import type { SourceEntry } from './source-entry.js'
import type { StreamTurns } from './stream-turns.js'

/** A stream that may be read. */
export interface BegunStream {
  readonly stream: FrameStream
  /** To be called when it is read no more. */
  readonly end: () => void
}

/** Where and for how long streams wait. */
export interface TurnSetup {
  readonly turns: StreamTurns
  /** Aborted when none is to be begun any more. */
  readonly stop: AbortSignal
}

const NOTHING = (): void => undefined

/**
 * Passes the streams of a source on when they may be read: live ones at once, finite ones in their turn.
 *
 * ```
 * streams            a-b-c---|
 * ends of turns      -----a---b
 * inTurn, one turn   a-----b---c|
 * ```
 *
 * - **complete**: after the last one that waits.
 * - **stop**, **unsubscribe**: those that wait are let go, and are no streams of the entry any more.
 * - a stream that is **revoked** while it waits is let go alone.
 *
 * **Memory**: a waiting stream is an entry of a queue and no subscription, as a folder may hold very many files.
 */
export function inTurn(entry: SourceEntry, { turns, stop }: TurnSetup): OperatorFunction<FrameStream, BegunStream> {
  return (streams) =>
    new Observable((subscriber) => {
      const waiting = new Map<FrameStream, Subscription>()
      let isSearching = true

      const completeIfOver = (): void => {
        if (!isSearching && waiting.size === 0) subscriber.complete()
      }
      const leave = (stream: FrameStream): void => {
        waiting.get(stream)?.unsubscribe()
        waiting.delete(stream)
      }
      const drop = (stream: FrameStream): void => {
        leave(stream)
        entry.delete(stream)
        completeIfOver()
      }
      const dropAll = (): void => {
        for (const stream of waiting.keys()) drop(stream)
      }
      const wait = (stream: FrameStream): void => {
        const begin = (end: () => void): void => {
          leave(stream)
          subscriber.next({ stream, end })
          completeIfOver()
        }
        const waits = new Subscription(turns.wait(entry, begin))
        waiting.set(stream, waits)
        const drops = (): void => {
          drop(stream)
        }
        if (stream.revoked !== undefined) waits.add(whenAborted(stream.revoked).subscribe(drops))
      }
      subscriber.add(dropAll)
      subscriber.add(whenAborted(stop).subscribe(dropAll))
      return streams.subscribe({
        next: (stream) => {
          if (stream.info.isLive) subscriber.next({ stream, end: NOTHING })
          else wait(stream)
        },
        error: (error: unknown) => {
          subscriber.error(error)
        },
        complete: () => {
          isSearching = false
          completeIfOver()
        },
      })
    })
}
