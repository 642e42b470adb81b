import { StreamError, abortError, throwIfAborted } from '../../errors.js'
import { PendingJob, type SubmitOptions } from './pending-job.js'
import type { FromWorker, Job, JobResult } from './protocol.js'
import { fromWireError } from './wire-error.js'
import type { WorkerThread } from './worker-thread.js'

/** How often a job may be under way when its worker dies. */
const MAX_DEATHS = 2

/** What each kind of job is called in messages. */
const WORK = { open: 'Loading the model', encode: 'Encoding', connect: 'Connecting', generate: 'The answer' } as const

/**
 * Hands jobs to one worker at a time, and to a fresh one where that dies.
 *
 * A job's inputs are kept until its result is here. If the worker dies, all jobs it had go to a fresh one. Several
 * were under way, and any of them may be what killed it: those are done first and one by one, so that the one that
 * kills a second worker is found, and it alone fails with `MODEL_WORKER_DIED`.
 *
 * The first job starts the worker. An idle worker doesn't keep the process alive, one with jobs does.
 */
export class Dispatcher {
  readonly #startWorker: () => WorkerThread
  /** In the order they were handed in, which is the order they run in. */
  readonly #pending = new Map<number, PendingJob>()
  #worker: WorkerThread | undefined
  /** Jobs that were cancelled and that the worker hasn't answered yet: one of them may be in a run that kills it. */
  readonly #cancelled = new Set<number>()
  #nextId = 0
  #disposal: Promise<void> | undefined

  constructor(startWorker: () => WorkerThread) {
    this.#startWorker = startWorker
  }

  /**
   * Hands a job in; jobs run in the order they were handed in.
   *
   * @throws {StreamError} What the job fails with, or `MODEL_WORKER_DIED`, `MODEL_DISPOSED`, `ABORTED`.
   */
  submit<Kind extends Job['kind']>(
    job: Extract<Job, { kind: Kind }>,
    options: SubmitOptions = {},
  ): Promise<JobResult<Kind>> {
    return new Promise<JobResult<Kind>>((resolve, reject) => {
      if (this.#disposal !== undefined) throw disposedError()
      throwIfAborted(options.signal, WORK[job.kind])
      const id = this.#nextId++
      const stop = (): void => {
        this.#cancel(id, abortError(WORK[job.kind], options.signal?.reason))
      }
      // A worker answers a job with its own kind of result.
      this.#pending.set(id, new PendingJob(job, options, stop, resolve as (result: JobResult) => void, reject))
      if (this.#worker === undefined) this.#start()
      else this.#send()
      this.#worker?.ref()
    })
  }

  /**
   * Ends the worker. Jobs under way reject with `MODEL_DISPOSED` at once, as do all later ones; resolves when
   * the worker is gone, which takes as long as the operator run it is in.
   */
  dispose(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#disposal ??= worker?.close() ?? Promise.resolve()
    this.#failAll(disposedError)
    return this.#disposal
  }

  #start(): void {
    const worker = this.#startWorker()
    this.#worker = worker
    let cause: unknown
    worker.on('message', (message) => {
      this.#receive(message)
    })
    worker.on('error', (error) => (cause = error))
    worker.on('exit', (code) => {
      this.#replace(worker, cause ?? new Error(`The worker exited with code ${code}.`))
    })
    for (const pending of this.#pending.values()) pending.restart()
    this.#cancelled.clear()
    this.#send()
  }

  /** Hands the worker what it may have now: everything, or the next suspect alone. */
  #send(): void {
    const suspects = [...this.#pending].filter(([, { deaths }]) => deaths > 0)
    // A suspect is to be alone, also with what is left of a cancelled one.
    if (suspects.length > 0 && this.#cancelled.size > 0) return
    for (const [id, pending] of suspects.length > 0 ? suspects.slice(0, 1) : this.#pending) {
      if (pending.isSent) continue
      pending.isSent = true
      this.#worker?.postMessage({ type: 'job', id, job: pending.job })
    }
  }

  #replace(dead: WorkerThread, cause: unknown): void {
    if (this.#worker !== dead) return
    this.#worker = undefined
    for (const [id, pending] of this.#blamed()) {
      pending.deaths += 1
      if (pending.deaths >= MAX_DEATHS) this.#fail(id, diedError(pending.job, cause))
    }
    if (this.#pending.size > 0) this.#start()
  }

  /** What may have killed the worker. */
  #blamed(): readonly (readonly [number, PendingJob])[] {
    const begun = [...this.#pending].filter(([, { hasBegun }]) => hasBegun)
    if (begun.length > 0 || this.#cancelled.size > 0) return begun
    // It died before it began anything: what it was started for is all there is to blame.
    return [...this.#pending].filter(([, { isSent }]) => isSent).slice(0, 1)
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'open-failed':
        this.#failAll(() => fromWireError(message.error))
        break
      case 'failed':
        this.#fail(message.id, fromWireError(message.error))
        this.#forgetCancelled(message.id)
        break
      case 'done':
        this.#take(message.id)?.resolve(message.result)
        this.#forgetCancelled(message.id)
        break
      case 'begun':
        this.#markBegun(message.id)
        break
      case 'delta':
        this.#deliver(message.id, message.text)
        break
    }
  }

  /** A cancelled job is over for the worker, too. */
  #forgetCancelled(id: number): void {
    if (this.#cancelled.delete(id) && this.#worker !== undefined) this.#send()
  }

  #markBegun(id: number): void {
    const pending = this.#pending.get(id)
    if (pending !== undefined) pending.hasBegun = true
  }

  #deliver(id: number, text: string): void {
    try {
      this.#pending.get(id)?.deliver(text)
    } catch (error) {
      // The listener is the caller's: its error ends the caller's job, not the process.
      this.#cancel(id, error)
    }
  }

  #cancel(id: number, error: unknown): void {
    this.#worker?.postMessage({ type: 'cancel', id })
    if (this.#pending.get(id)?.isSent === true) this.#cancelled.add(id)
    this.#fail(id, error)
  }

  #failAll(error: () => StreamError): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, error())
  }

  #fail(id: number, error: unknown): void {
    this.#take(id)?.reject(error)
  }

  /** Takes a job out; undefined where it is settled already, e.g. because it was aborted. */
  #take(id: number): PendingJob | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker?.unref()
    // A suspect that is done lets the next one in, or all the others.
    else if (this.#worker !== undefined && (pending?.deaths ?? 0) > 0) this.#send()
    return pending
  }
}

function diedError({ kind }: Job, cause: unknown): StreamError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new StreamError('MODEL_WORKER_DIED', `${WORK[kind]} ended the model's worker ${MAX_DEATHS} times: ${detail}`, { cause })
}

function disposedError(): StreamError {
  return new StreamError('MODEL_DISPOSED', 'The model was disposed of. Load it again to use it.')
}
