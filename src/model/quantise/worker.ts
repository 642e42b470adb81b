/** A worker thread that quantises rows: the work of a conversion, spread over all cores. */
import { parentPort } from 'node:worker_threads'

import { toWireError } from '../runtime/wire-error.js'
import type { QuantiseJob, QuantiseReply } from './protocol.js'
import { runJob } from './run-job.js'

const port = parentPort
if (port === null) throw new Error('worker.js runs in a worker thread only.')

port.on('message', (job: QuantiseJob) => {
  try {
    const rows = runJob(job)
    port.postMessage({ rows } satisfies QuantiseReply, [rows.packed.buffer, rows.scales.buffer])
  } catch (error) {
    port.postMessage({ error: toWireError(error) } satisfies QuantiseReply)
  }
})
