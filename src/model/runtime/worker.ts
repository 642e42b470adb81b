/**
 * The worker thread of one model: it owns the sessions and the tokenizer, and does the client's jobs.
 *
 * ONNX Runtime's `run` blocks the thread that calls it, so it never runs on the event loop's thread.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { openEngine } from './engine.js'
import { createJobQueue } from './job-queue.js'
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.js'
import { toWireError } from './wire-error.js'

const port = parentPort
if (port === null) throw new Error('worker.js runs in a worker thread only.')

try {
  const engine = await openEngine(workerData as WorkerSettings)
  const answer = createJobQueue(
    engine,
    (message, transfer) => {
      port.postMessage(message, [...transfer])
    },
    // With its port closed the thread has nothing left to wait for, and ends.
    () => {
      port.close()
    },
  )
  // Jobs sent while the model was loading wait in the port until now.
  port.on('message', (message: ToWorker) => {
    answer(message)
  })
} catch (error) {
  port.postMessage({ type: 'open-failed', error: toWireError(error) } satisfies FromWorker)
}
