import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

import { packageVersion } from '../../version.js'
import type { RunState, RunStatus } from '../run-status.js'

/** State, model and sinks of a run. */
export interface RunStateMetrics {
  refresh(status: RunStatus): void
}

const STATES: readonly RunState[] = ['starting', 'running', 'draining', 'over']

/** Registers what there is to know about the run as a whole. */
export function runStateMetrics(registry: Registry): RunStateMetrics {
  const registers = [registry]
  const build = new Gauge({
    name: 'tinyllava_build_info',
    help: 'Always 1; the version of tinyllava-stream.',
    labelNames: ['version'],
    registers,
  })
  const state = new Gauge({
    name: 'tinyllava_run_state',
    help: '1 for the state that the run is in.',
    labelNames: ['state'],
    registers,
  })
  const model = new Gauge({
    name: 'tinyllava_model_info',
    help: 'Always 1, once the model is loaded; what it is and where it runs.',
    labelNames: ['name', 'digest', 'precision', 'device'],
    registers,
  })
  const waiting = new Gauge({
    name: 'tinyllava_sink_waiting_results',
    help: 'Results that a sink was handed and doesn’t have safe yet; sinks by their place in the pipeline.',
    labelNames: ['sink', 'place'],
    registers,
  })
  build.set({ version: packageVersion() }, 1)
  return {
    refresh: (status) => {
      for (const known of STATES) state.set({ state: known }, known === status.state ? 1 : 0)
      model.reset()
      if (status.model !== undefined) {
        const { name, digest, precision, device } = status.model
        model.set({ name, digest, precision, device }, 1)
      }
      for (const [place, sink] of status.sinks.entries()) waiting.set({ sink: sink.kind, place }, sink.waiting)
    },
  }
}
