import type { OutgoingRecord } from '../delivery.js'
import type { Result } from '../envelope.js'

/**
 * Something that whoever runs the pipeline should know, and that is no reason to stop it. More kinds may
 * come: ignore those you don't know.
 */
export interface SinkNotice {
  readonly kind:
    /** The other end fails again and again: it is only probed from now on. */
    | 'sink-circuit-open'
    /** The other end answers again. */
    | 'sink-circuit-closed'
    /** Results of an earlier run were found on disk, and are sent first. */
    | 'sink-spill-found'
    /** The disk space given to the sink is used up: the pipeline waits. */
    | 'sink-spill-full'
    /** Results stay on disk for the next run. */
    | 'sink-spill-left'
    /** The other end won't take this result, however often it is asked. */
    | 'sink-refused'
    /** Something beside the results went wrong, e.g. an old file could not be compressed. */
    | 'sink-warning'
  /** The kind of sink. */
  readonly sink: string
  /** One sentence; holds no credentials. */
  readonly message: string
  /** The values of the event, for logs. */
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

/** What a sink may use while it is open. */
export interface SinkContext {
  /** Takes notices as they happen; never throws. */
  notify(notice: SinkNotice): void
}

/**
 * Where results go.
 *
 * `write` resolves when the result is as safe as the sink promises (flushed, acknowledged); the
 * pipeline counts it as delivered only then. A rejected `write` stops the pipeline with its cause, so a
 * sink that can outlast trouble does so inside `write`: a pending one slows the pipeline down.
 */
export interface Sink {
  /** The kind of sink, for messages, e.g. `jsonLines`. */
  readonly kind: string
  /** Opens files and connections. Called once, before the first `write`. */
  open?(context?: SinkContext): Promise<void>
  /** Takes one result of any kind. Called in order, never again before the last call has settled. */
  write(result: Result): Promise<void>
  /** Flushes and frees all. Called once, also after an error, and while a `write` is pending; no other one follows. */
  close?(): Promise<void>
  /** The cluster whose transactions the sink can take part in. */
  readonly cluster?: string
  /** The records of a result, for a transaction that somebody else commits; `write` isn't called then. */
  readonly records?: (result: Result) => readonly OutgoingRecord[]
}
