import { Observable, filter } from 'rxjs'

import { asStreamError } from '../../errors.js'
import type { Ledger } from '../../ledger.js'
import type { Frame } from '../../types.js'
import { LiveBuffer, type WhenFull } from './buffer.js'
import { pauses } from './pause.js'

/** A picture of a live stream that is to become a frame. */
export type LivePicture = Omit<Frame, 'receipt'>

/** How live pictures are handed out. */
export interface LivePacing {
  readonly ledger: Ledger
  /** Most frames handed out and not settled yet; at least 1. */
  readonly maxFramesInFlight: number
  /** Most pictures that wait to be handed out; at least 1. */
  readonly bufferFrames: number
  readonly whenFull: WhenFull
}

/** What becomes of a picture that was wanted and is not handed out; the reason of its receipt. */
type DropReason = 'buffer-full' | 'paused' | 'stopped'

/**
 * Turns pictures that can't be held back into frames that are handed out no faster than they are settled.
 *
 * ```
 * pictures                a-b-c-d-e---|
 * settled                 ------s-s---s
 * handed out              a-----c-d---e|    one in flight, one waits, `latest`: b is dropped
 * ```
 *
 * - **next**: the picture waits while `maxFramesInFlight` frames are unsettled; a full buffer drops one by its
 *   rule. A dropped picture gets a receipt, settled at once, so that the ledger counts it.
 * - **complete** and **error** of the pictures are passed on after those that wait.
 * - **pause** (of the ledger) drops what waits: resumed, the stream goes on with what is new.
 * - **unsubscribe** drops what waits.
 *
 * **Memory**: `bufferFrames` waiting and `maxFramesInFlight` handed out pictures.
 */
export function liveFrames(pictures: Observable<LivePicture>, pacing: LivePacing): Observable<Frame> {
  return new Observable((subscriber) => {
    const handOut = new HandOut(pacing, {
      next: (frame) => {
        subscriber.next(frame)
      },
      end: (ending) => {
        if ('error' in ending) subscriber.error(asStreamError(ending.error, 'VIDEO_DECODER_FAILED', 'A live stream'))
        else subscriber.complete()
      },
    })
    // First, so that pictures that come at once and are not wanted after the first find it closed.
    subscriber.add(() => {
      handOut.stop()
    })
    subscriber.add(
      pauses(pacing.ledger)
        .pipe(filter((isPaused) => isPaused))
        .subscribe(() => {
          handOut.clear('paused')
        }),
    )
    subscriber.add(
      pictures.subscribe({
        next: (picture) => {
          handOut.add(picture)
        },
        error: (error: unknown) => {
          handOut.end({ error })
        },
        complete: () => {
          handOut.end({})
        },
      }),
    )
  })
}

interface Ending {
  readonly error?: unknown
}

interface HandOutTarget {
  readonly next: (frame: Frame) => void
  readonly end: (ending: Ending) => void
}

/** One subscription: the buffer, and the loop that empties it. */
class HandOut {
  readonly #pacing: LivePacing
  readonly #target: HandOutTarget
  readonly #buffer: LiveBuffer<LivePicture>
  readonly #stopping = new AbortController()
  #ending: Ending | undefined
  #isAtWork = false

  constructor(pacing: LivePacing, target: HandOutTarget) {
    this.#pacing = pacing
    this.#target = target
    this.#buffer = new LiveBuffer({ capacity: pacing.bufferFrames, whenFull: pacing.whenFull })
  }

  add(picture: LivePicture): void {
    if (this.#ending !== undefined) return
    try {
      this.#drop(this.#buffer.add(picture).length, 'buffer-full')
    } catch (error) {
      // The rule `error`: the arriving one is lost, too.
      this.#drop(1, 'buffer-full')
      this.end({ error })
    }
    if (this.#pacing.ledger.isPaused) this.clear('paused')
    this.#wake()
  }

  /** Ends the output in its turn; only the first call counts. */
  end(ending: Ending): void {
    this.#ending ??= ending
    this.#wake()
  }

  clear(reason: DropReason): void {
    this.#drop(this.#buffer.clear().length, reason)
  }

  stop(): void {
    this.#stopping.abort()
    this.clear('stopped')
  }

  #wake(): void {
    if (this.#isAtWork || this.#stopping.signal.aborted) return
    this.#isAtWork = true
    this.#work().catch(() => {
      // Only a stop ends the wait early, and then there is nobody to tell.
    })
  }

  async #work(): Promise<void> {
    const { ledger, maxFramesInFlight } = this.#pacing
    const { signal } = this.#stopping
    while (this.#buffer.length > 0) {
      await ledger.whenFramesBelow(maxFramesInFlight, signal)
      const picture = this.#buffer.take()
      if (picture !== undefined) this.#target.next({ ...picture, receipt: ledger.frame() })
    }
    this.#isAtWork = false
    if (this.#ending !== undefined && !signal.aborted) this.#target.end(this.#ending)
  }

  #drop(count: number, reason: DropReason): void {
    for (let dropped = 0; dropped < count; dropped++) this.#pacing.ledger.frame().settle({ kind: 'dropped', reason })
  }
}
