import type { Job, JobResult } from './protocol.js'

/** How a job is stopped and listened to. */
export interface SubmitOptions {
  readonly signal?: AbortSignal
  /** Gets the pieces of a generated text, each once, also where the job is repeated. */
  readonly onDelta?: (text: string) => void
}

/** A job whose result isn't here yet, with all that is needed to hand it in again. */
export class PendingJob {
  readonly job: Job
  /** Workers that died while this job was under way. */
  deaths = 0
  /** Whether the present worker has it. */
  isSent = false
  /** Whether the present worker has begun it: then it may be what ends the worker. */
  hasBegun = false

  readonly #options: SubmitOptions
  readonly #stop: () => void
  readonly #resolve: (result: JobResult) => void
  readonly #reject: (error: unknown) => void
  /** Characters the listener has. */
  #delivered = 0
  /** Characters of the present attempt. */
  #received = 0

  /** @param stop Called when the options' signal aborts before the job is settled. */
  constructor(
    job: Job,
    options: SubmitOptions,
    stop: () => void,
    resolve: (result: JobResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.job = job
    this.#options = options
    this.#stop = stop
    this.#resolve = resolve
    this.#reject = reject
    options.signal?.addEventListener('abort', stop, { once: true })
  }

  /** Begins a new attempt. */
  restart(): void {
    this.#received = 0
    this.isSent = false
    this.hasBegun = false
  }

  /** Hands text to the listener. A repeated job gives the same text again: what was delivered is left out. */
  deliver(text: string): void {
    const known = Math.max(0, this.#delivered - this.#received)
    this.#received += text.length
    if (known >= text.length) return
    this.#delivered = this.#received
    this.#options.onDelta?.(text.slice(known))
  }

  resolve(result: JobResult): void {
    this.#options.signal?.removeEventListener('abort', this.#stop)
    this.#resolve(result)
  }

  reject(error: unknown): void {
    this.#options.signal?.removeEventListener('abort', this.#stop)
    this.#reject(error)
  }
}
