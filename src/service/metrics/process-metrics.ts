import { Registry, collectDefaultMetrics } from 'prom-client'

let registry: Registry | undefined

/**
 * Figures of the process: memory, event loop, garbage collection.
 *
 * One registry for all runs: what measures them can't be taken back, and there is one process.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry
}
