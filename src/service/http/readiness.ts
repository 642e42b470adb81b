import type { SourceStatus } from '../source-entry.js'
import type { ObservedRun } from '../observed-run.js'
import type { RunState } from '../run-status.js'

/** Whether a run does what it is for, and if not, why. */
export interface Readiness {
  readonly isReady: boolean
  readonly state: RunState
  readonly reasons: readonly string[]
}

const STATE_REASONS: Readonly<Record<RunState, string | undefined>> = {
  starting: 'The model is being loaded.',
  running: undefined,
  draining: 'The run is stopping: what was taken is being finished.',
  over: 'The run is over.',
}

/** A run is ready while it runs and not all of its sources have failed. */
export function readinessOf(run: Pick<ObservedRun, 'sources' | 'status'>): Readiness {
  const { state } = run.status()
  const reasons = [STATE_REASONS[state], failureOf(run.sources.list())].filter((reason) => reason !== undefined)
  return { isReady: reasons.length === 0, state, reasons }
}

function failureOf(sources: readonly SourceStatus[]): string | undefined {
  const haveAllFailed = sources.length > 0 && sources.every(({ state }) => state === 'failed')
  if (!haveAllFailed) return undefined
  const codes = new Set(sources.flatMap(({ error }) => error?.code ?? []))
  return `All ${sources.length} sources have failed: ${[...codes].join(', ')}.`
}
