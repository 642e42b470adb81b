import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

import { StreamError } from '../../errors.js'
import { builtFile } from '../built-file.js'
import { fromWireError } from '../runtime/wire-error.js'
import type { QuantiseJob, QuantiseReply } from './protocol.js'
import type { QuantisedRows } from './quantise-rows.js'

/** Quantises on worker threads, one for each core. */
export interface QuantisePool {
  /** Threads it has at most. */
  readonly threads: number
  /** Jobs that keep all threads busy. More at once would only take memory. */
  readonly jobsAtOnce: number
  /**
   * Quantises one job's rows; takes over the buffer of `job.raw`.
   *
   * @throws {StreamError} `CHECKPOINT_UNSUPPORTED`, `MODEL_WORKER_DIED`.
   */
  run(job: QuantiseJob): Promise<QuantisedRows>
  /** Ends all threads. Jobs under way reject. */
  close(): Promise<void>
}

// Eight cores quantise faster than most disks read, and each thread takes tens of megabytes.
const MAX_THREADS = 8

/** Makes a pool. Its threads start with the first jobs: a conversion that quantises nothing has none. */
export function createQuantisePool(threads = Math.min(availableParallelism(), MAX_THREADS)): QuantisePool {
  const started: QuantiseThread[] = []
  return {
    threads,
    jobsAtOnce: threads * 2,
    async run(job) {
      const [idlest] = [...started].sort((a, b) => a.waiting() - b.waiting())
      if (idlest !== undefined && (idlest.waiting() === 0 || started.length === threads)) return idlest.run(job)
      const fresh = startThread()
      started.push(fresh)
      return fresh.run(job)
    },
    async close() {
      await Promise.all(started.splice(0).map((thread) => thread.close()))
    },
  }
}

interface QuantiseThread {
  /** Jobs it has not answered yet. */
  waiting(): number
  run(job: QuantiseJob): Promise<QuantisedRows>
  close(): Promise<void>
}

interface PendingReply {
  readonly resolve: (rows: QuantisedRows) => void
  readonly reject: (error: unknown) => void
}

function startThread(): QuantiseThread {
  // The process's own flags (a TypeScript loader, `--input-type`) are not for a built file, and can break it.
  const worker = new Worker(builtFile(import.meta.url, 'worker.js'), { name: 'tinyllava-stream quantise', execArgv: [] })
  // A thread answers its jobs in their order.
  const pending: PendingReply[] = []
  let failure: StreamError | undefined
  const failAll = (cause?: unknown): void => {
    failure ??= new StreamError('MODEL_WORKER_DIED', 'A thread that quantises weights ended early.', { cause })
    for (const { reject } of pending.splice(0)) reject(failure)
  }
  worker.on('message', (reply: QuantiseReply) => {
    const next = pending.shift()
    if ('rows' in reply) next?.resolve(reply.rows)
    else next?.reject(fromWireError(reply.error))
  })
  worker.on('error', failAll)
  worker.on('exit', () => { failAll() })

  return {
    waiting: () => pending.length,
    run: (job) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure)
          return
        }
        pending.push({ resolve, reject })
        worker.postMessage(job, [job.raw.buffer])
      }),
    close: async () => {
      await worker.terminate()
    },
  }
}
