import { Worker } from 'node:worker_threads'
import { closeGate, createGate, guardExit } from './native-gate.js'
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.js'

/** The part of a worker thread that the dispatcher uses; tests hand in their own. */
export interface WorkerThread {
  postMessage(message: ToWorker): void
  on(event: 'message', listener: (message: FromWorker) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  /** Keeps the process alive while the worker lives. */
  ref(): void
  /** Lets the process end although the worker lives. */
  unref(): void
  /** Ends the worker after the operator run it is in; resolves once it has exited. */
  close(): Promise<void>
}

/** Starts a worker that loads the bundle. */
export function startWorkerThread(settings: Omit<WorkerSettings, 'gate'>): WorkerThread {
  const gate = createGate()
  const workerData: WorkerSettings = { ...settings, gate }
  const worker = new Worker(workerFile(import.meta.url), {
    workerData,
    name: 'tinyllava-stream model',
    // The process's own flags (a TypeScript loader, `--input-type`) are not for a built file, and can break it.
    execArgv: [],
  })
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve()
    })
  })
  worker.once('exit', guardExit(gate))

  const close = async (): Promise<void> => {
    closeGate(gate)
    worker.ref()
    worker.postMessage({ type: 'close' } satisfies ToWorker)
    await exited
  }
  // A result that can't be read would be waited for without end: a worker that sends one is given up.
  worker.on('messageerror', () => void close())
  return Object.assign(worker, { close })
}

/**
 * Where the built worker lies: beside the built caller, or in `dist/` where the caller runs from source.
 *
 * Node 20 can't run TypeScript in a worker, and a test runner's loader doesn't reach into one, so a worker
 * always runs from `dist/` (`npm test` builds it first).
 */
export function workerFile(callerUrl: string): URL {
  const built = callerUrl.endsWith('.ts') ? callerUrl.replace(/\/src\/(?=model\/runtime\/)/, '/dist/') : callerUrl
  return new URL('worker.js', built)
}
