import { Observable } from 'rxjs'

import { asStreamError } from '../../errors.js'
import type { Frame, StreamInfo } from '../../types.js'

/** A picture that is to become a frame of a stream. */
export type Picture = Pick<Frame, 'index' | 'ptsMs' | 'width' | 'height' | 'data' | 'kind'>

/** How pictures are paced. */
export interface Pacing {
  /** Most frames handed out and not settled yet; at least 1. */
  readonly maxFramesInFlight: number
}

/**
 * Turns pictures that are pulled into frames that are pushed, no faster than they are settled.
 *
 * ```
 * pictures          p---p---p-|
 * settled           ----s---s----
 * paced, 1 in flight f---f---f-|
 * ```
 *
 * The next picture isn't even asked for while `maxFramesInFlight` frames are unsettled, so whatever makes the
 * pictures waits too. Cold: `open` is called at each subscription, its signal aborts on unsubscribe. An
 * error of the pictures passes as a `StreamError`.
 */
export function pacedFrames(
  stream: StreamInfo,
  { maxFramesInFlight }: Pacing,
  open: (signal: AbortSignal) => AsyncIterable<Picture>,
): Observable<Frame> {
  return new Observable((subscriber) => {
    const stopping = new AbortController()
    const { signal } = stopping

    const handOut = async (): Promise<void> => {
      const pictures = open(signal)[Symbol.asyncIterator]()
      try {
        for (;;) {
          await stream.ledger.whenFramesBelow(maxFramesInFlight, signal)
          const next = await pictures.next()
          if (signal.aborted) return
          if (next.done === true) break
          subscriber.next({ ...next.value, stream, receipt: stream.ledger.frame() })
        }
      } finally {
        await pictures.return?.()
      }
      subscriber.complete()
    }

    handOut().catch((error: unknown) => {
      // After unsubscribe there is nobody to tell, and what broke was broken on purpose.
      if (!signal.aborted) subscriber.error(asStreamError(error, 'VIDEO_DECODER_FAILED', `Reading ${stream.id}`))
    })
    return () => {
      stopping.abort()
    }
  })
}
