import { Gauge, Registry, collectDefaultMetrics } from 'prom-client'

import { heldFeatureBytes } from '../../operators/held-features.js'

let registry: Registry | undefined

/**
 * Figures of the process: memory, event loop, garbage collection, and what encoded frames take of it.
 *
 * One registry for all runs: what measures them can't be taken back, and there is one process.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
    new Gauge({
      ...{ name: 'tinyllava_encoded_frames_bytes', registers: [registry] },
      help: 'Features of encoded frames that windows, clips and questions of this process hold',
      collect() { this.set(heldFeatureBytes()) },
    })
  }
  return registry
}
