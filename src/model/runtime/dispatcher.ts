import { StreamError, abortError, throwIfAborted } from '../../errors.js'
import { PendingJob, type SubmitOptions } from './pending-job.js'
import type { FromWorker, Job, JobResult } from './protocol.js'
import { fromWireError } from './wire-error.js'
import type { WorkerThread } from './worker-thread.js'

/** How often a job may be under way when its worker dies. */
const MAX_DEATHS = 2

/** What each kind of job is called in messages. */
const WORK = { open: 'Loading the model', encode: 'Encoding', connect: 'Connecting', generate: 'The answer' } as const

/** Hands jobs to one worker at a time, and to a fresh one where that dies. */
export interface Dispatcher {
  /**
   * Hands a job in; jobs run in the order they were handed in.
   *
   * @throws {StreamError} What the job fails with, or `MODEL_WORKER_DIED`, `MODEL_DISPOSED`, `ABORTED`.
   */
  submit<Kind extends Job['kind']>(
    job: Extract<Job, { kind: Kind }>,
    options?: SubmitOptions,
  ): Promise<JobResult<Kind>>
  /**
   * Ends the worker. Jobs under way reject with `MODEL_DISPOSED` at once, as do all later ones; resolves when
   * the worker is gone, which takes as long as the operator run it is in.
   */
  dispose(): Promise<void>
}

/**
 * Makes a dispatcher; the first job starts its worker.
 *
 * A job's inputs are kept until its result is here. If the worker dies, all jobs it had go to a fresh one.
 * Jobs run in turn, so the oldest was under way: when that has happened to a job twice, it is what kills
 * workers, and it alone fails with `MODEL_WORKER_DIED`.
 *
 * An idle worker doesn't keep the process alive, one with jobs does.
 */
export function createDispatcher(startWorker: () => WorkerThread): Dispatcher {
  /** In the order they were handed in, which is the order they run in. */
  const pending = new Map<number, PendingJob>()
  let worker: WorkerThread | undefined
  let nextId = 0
  let disposal: Promise<void> | undefined

  const settle = (id: number, act: (job: PendingJob) => void): void => {
    const job = pending.get(id)
    if (job === undefined) return
    pending.delete(id)
    if (pending.size === 0) worker?.unref()
    act(job)
  }
  const fail = (id: number, error: unknown): void => {
    settle(id, (job) => {
      job.reject(error)
    })
  }
  const failAll = (error: () => StreamError): void => {
    for (const id of [...pending.keys()]) fail(id, error())
  }
  const cancel = (id: number, error: unknown): void => {
    if (!pending.has(id)) return
    worker?.postMessage({ type: 'cancel', id })
    fail(id, error)
  }

  const receive = (message: FromWorker): void => {
    if (message.type === 'open-failed') {
      failAll(() => fromWireError(message.error))
      return
    }
    const { id } = message
    if (message.type === 'failed') fail(id, fromWireError(message.error))
    if (message.type === 'done') {
      settle(id, (job) => {
        job.resolve(message.result)
      })
    }
    if (message.type === 'delta') {
      try {
        pending.get(id)?.deliver(message.text)
      } catch (error) {
        // The listener is the caller's: its error ends the caller's job, not the process.
        cancel(id, error)
      }
    }
  }

  const replace = (dead: WorkerThread, cause: unknown): void => {
    if (worker !== dead) return
    worker = undefined
    const [oldest] = pending
    if (oldest === undefined) return
    const [id, job] = oldest
    job.deaths += 1
    if (job.deaths >= MAX_DEATHS) fail(id, diedError(job.job, cause))
    if (pending.size > 0) start()
  }

  const start = (): void => {
    const started = startWorker()
    worker = started
    let cause: unknown
    started.on('message', receive)
    started.on('error', (error) => (cause = error))
    started.on('exit', (code) => {
      replace(started, cause ?? new Error(`The worker exited with code ${code}.`))
    })
    for (const [id, job] of pending) {
      job.restart()
      started.postMessage({ type: 'job', id, job: job.job })
    }
  }

  return {
    submit(job, options = {}) {
      type Result = JobResult<(typeof job)['kind']>
      return new Promise<Result>((resolve, reject) => {
        if (disposal !== undefined) throw disposedError()
        throwIfAborted(options.signal, WORK[job.kind])
        const id = nextId++
        const stop = (): void => {
          cancel(id, abortError(WORK[job.kind], options.signal?.reason))
        }
        pending.set(id, new PendingJob(job, options, stop, resolve as (result: JobResult) => void, reject))
        if (worker === undefined) start()
        else worker.postMessage({ type: 'job', id, job })
        worker?.ref()
      })
    },
    dispose() {
      const last = worker
      worker = undefined
      disposal ??= last?.close() ?? Promise.resolve()
      failAll(disposedError)
      return disposal
    },
  }
}

function diedError({ kind }: Job, cause: unknown): StreamError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new StreamError('MODEL_WORKER_DIED', `${WORK[kind]} ended the model's worker ${MAX_DEATHS} times: ${detail}`, { cause })
}

function disposedError(): StreamError {
  return new StreamError('MODEL_DISPOSED', 'The model was disposed of. Load it again to use it.')
}
