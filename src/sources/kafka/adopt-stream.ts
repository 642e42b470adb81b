import { map, tap } from 'rxjs'
import type { Observable } from 'rxjs'

import type { Receipt } from '../../ledger.js'
import type { Frame, StreamInfo } from '../../types.js'
import type { FrameStream } from '../source.js'

/**
 * Hands the frames of one stream out as those of another, whose ledger counts them, too: the video in a message
 * becomes a stream of the message's key. The inner stream's ledger goes on pacing its decoder.
 *
 * @param info Who the stream is; its epoch, and whatever else differs from run to run, for each inner stream.
 */
export function adoptFrames(inner: FrameStream, info: (inner: StreamInfo) => StreamInfo): Observable<Frame> {
  let current = { inner: inner.info, outer: info(inner.info) }
  return inner.frames.pipe(
    tap(({ stream }) => {
      if (stream !== current.inner) current = { inner: stream, outer: info(stream) }
    }),
    map((frame) => ({ ...frame, stream: current.outer, receipt: both(frame.receipt, current.outer.ledger.frame()) })),
  )
}

/** One receipt that settles two. */
function both(inner: Receipt, outer: Receipt): Receipt {
  return {
    position: outer.position,
    get isSettled() {
      return outer.isSettled
    },
    settle: (outcome) => {
      // The outer one first: it throws where somebody settles twice.
      outer.settle(outcome)
      inner.settle(outcome)
    },
  }
}
