import type { Observable } from 'rxjs'

import type { Frame, StreamInfo } from '../types.js'

/** One stream a source found: who it is, and its frames. */
export interface FrameStream {
  readonly info: StreamInfo
  /**
   * The frames in display order. Cold: nothing is opened before the subscription, all is freed on
   * unsubscribe. Errors with a `StreamError`; a finite stream completes.
   *
   * Paced by `info.ledger`: a file reads on only while its unsettled frames are under its budget.
   */
  readonly frames: Observable<Frame>
  /** Whether the source has dealt with this error of its frames (a dead letter): the run isn't failed by it. */
  readonly handles?: (error: unknown) => boolean
}

/**
 * Where frames come from. A source is a plain description until it is subscribed to.
 *
 * A file is one stream; a directory or a Kafka topic is many, found over time.
 */
export interface Source {
  /** The kind of source, part of every result, e.g. `file`. */
  readonly kind: string
  /** Name for logs and metrics; of a single stream also its id. */
  readonly id: string
  /** The streams as they are found. Cold; errors with a `StreamError`. */
  readonly streams: Observable<FrameStream>
}
