import type { Result } from '../envelope.js'

/**
 * Where results go.
 *
 * `write` resolves when the result is as safe as the sink promises (flushed, acknowledged); the
 * pipeline counts it as delivered only then. A rejected `write` stops the pipeline with its cause.
 */
export interface Sink {
  /** The kind of sink, for messages, e.g. `jsonLines`. */
  readonly kind: string
  /** Opens files and connections. Called once, before the first `write`. */
  open?(): Promise<void>
  /** Takes one result. Called in order, never again before the last call has settled. */
  write(result: Result): Promise<void>
  /** Flushes and frees all. Called once, also after an error. */
  close?(): Promise<void>
}
