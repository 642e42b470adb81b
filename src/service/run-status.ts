import type { LedgerCounts } from '../ledger-counts.js'
import type { ModelInfo } from '../model/model.js'

/** What a run is doing. */
export type RunState = 'starting' | 'running' | 'draining' | 'over'

/** A run as it is now. */
export interface RunStatus {
  readonly state: RunState
  /** The model, once it is loaded. */
  readonly model?: ModelInfo
  /** For each sink the results that it doesn't have safe yet. */
  readonly sinks: readonly { readonly kind: string; readonly waiting: number }[]
  /** Counts of all streams there were, those that are over included. */
  readonly totals: LedgerCounts
}
