import { Subject, defer } from 'rxjs'
import type { ObservableInput, Subscriber } from 'rxjs'

import { StreamError } from '../errors.js'

/** Works on up to `batch` values at once; emits one list with as many results, in the same order. */
export type BatchProject<T, R> = (values: readonly T[], signal: AbortSignal) => ObservableInput<readonly R[]>

/** What one subscription of `mapBounded` is made of. */
interface BoundedWorkSetup<T, R> {
  readonly project: BatchProject<T, R>
  readonly limits: { readonly concurrency: number; readonly batch: number; readonly queue: number }
  readonly output: Subscriber<R>
  readonly placesOf: (value: T) => number
  readonly onDiscard: ((value: T) => void) | undefined
}

/** A batch that was begun. */
interface Job<T, R> {
  /** Values whose results are not emitted yet. */
  readonly values: T[]
  readonly results: R[]
  /** Set once the work has ended. */
  outcome?: { readonly failure?: { readonly error: unknown } }
}

/** The queue and the work under way of one subscription of `mapBounded`. */
export class BoundedWork<T, R> {
  /** Emits when no further value is wanted. */
  readonly isFull = new Subject<void>()
  readonly #setup: BoundedWorkSetup<T, R>
  readonly #waiting: T[] = []
  /** Places of the queue that the waiting values take. */
  #placesTaken = 0
  /** Begun and not emitted yet, in order. */
  readonly #jobs: Job<T, R>[] = []
  readonly #abort = new AbortController()
  /** How the output ends once everything before has been emitted. */
  #ending: { readonly error?: unknown } | undefined
  #isPumping = false

  constructor(setup: BoundedWorkSetup<T, R>) {
    this.#setup = setup
  }

  take(value: T): void {
    const { limits, placesOf, onDiscard } = this.#setup
    this.#waiting.push(value)
    this.#placesTaken += placesOf(value)
    this.#pump()
    if (this.#placesTaken <= limits.queue) return
    this.#waiting.pop()
    this.#placesTaken -= placesOf(value)
    onDiscard?.(value)
    this.end({ error: overflow(limits.queue) })
    this.isFull.next()
  }

  /** Ends the output in its turn; only the first call counts. */
  end(ending: { readonly error?: unknown }): void {
    this.#ending ??= ending
    this.#pump()
  }

  /** Aborts what is under way and gives back every value that is held. */
  discard(): void {
    this.#abort.abort()
    const held = [...this.#jobs.splice(0).flatMap(({ values }) => values), ...this.#waiting.splice(0)]
    for (const value of held) this.#setup.onDiscard?.(value)
  }

  /** Emits what is finished and begins what fits, until neither is possible. */
  #pump(): void {
    // Work that finishes at once, and a consumer that pushes on, come back here while it runs.
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#emitNext() || this.#beginNext());
    this.#isPumping = false
    if (this.#ending === undefined || this.#jobs.length + this.#waiting.length > 0) return
    if ('error' in this.#ending) this.#setup.output.error(this.#ending.error)
    else this.#setup.output.complete()
  }

  /** Takes one step with the oldest batch, if it has ended: emits a result, or ends the batch. */
  #emitNext(): boolean {
    const { output } = this.#setup
    const job = this.#jobs[0]
    if (output.closed || job?.outcome === undefined) return false
    if (job.outcome.failure !== undefined) output.error(job.outcome.failure.error)
    else if (job.values.length === 0) this.#jobs.shift()
    else {
      job.values.shift()
      output.next(job.results.shift() as R)
    }
    return true
  }

  #beginNext(): boolean {
    const { limits, output, placesOf } = this.#setup
    if (output.closed || this.#waiting.length === 0) return false
    if (this.#jobs.length >= limits.concurrency) return false
    const job: Job<T, R> = { values: this.#waiting.splice(0, limits.batch), results: [] }
    for (const value of job.values) this.#placesTaken -= placesOf(value)
    this.#jobs.push(job)
    this.#run(job)
    return true
  }

  #run(job: Job<T, R>): void {
    const { output, project } = this.#setup
    const fail = (error: unknown): void => {
      job.outcome = { failure: { error } }
      this.isFull.next()
      this.#pump()
    }
    const finish = (): void => {
      if (job.results.length !== job.values.length) {
        fail(new Error(`mapBounded: ${job.values.length} values gave ${job.results.length} results.`))
        return
      }
      job.outcome = {}
      this.#pump()
    }
    const work = defer(() => project([...job.values], this.#abort.signal))
    const next = (results: readonly R[]): void => void job.results.push(...results)
    output.add(work.subscribe({ next, error: fail, complete: finish }))
  }
}

function overflow(queue: number): StreamError {
  return new StreamError(
    'PIPELINE_INVALID',
    `More than ${queue} values were waiting for work: the stream in front isn't paced. ` +
      'Let it wait for settled receipts (see `Ledger`), or raise `queue`.',
  )
}
