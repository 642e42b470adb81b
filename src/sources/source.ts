import type { Observable } from 'rxjs'

import type { DeliveryMode } from '../delivery.js'
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
  /** What a live stream tells of itself while it is read: reconnects, new epochs, a frozen picture. Hot; never errors. */
  readonly notices?: Observable<SourceNotice>
  /** Aborted when another process reads the stream now: whatever is under way here is let go. */
  readonly revoked?: AbortSignal
}

/** Something a source tells of itself: a reconnect, a lag. Static text; values in fields. */
export interface SourceNotice {
  /** What happened, e.g. `reconnect`. */
  readonly kind: string
  readonly message: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

/** What a source is opened with. */
export interface SourceContext {
  /** Aborted when no frame is wanted any more; what was handed out is still finished. */
  readonly stop: AbortSignal
  readonly delivery: DeliveryMode
  readonly notify: (notice: SourceNotice) => void
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
  /**
   * Opens the streams of a source that keeps account of what was delivered. Completes by itself after
   * `stop`, once all that it handed out was delivered and that is kept. Used in place of `streams`.
   */
  readonly open?: (context: SourceContext) => Observable<FrameStream>
  /** The cluster whose transactions the source can take part in: exactly-once is possible with its sinks. */
  readonly cluster?: string
}
