import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

import { addCounts, noCounts } from '../../ledger-counts.js'
import type { LedgerCounts } from '../../ledger-counts.js'

/** What the ledger's figures are kept with. */
export interface LedgerMetricsSetup {
  readonly registry: Registry
  /** The label of a source; bounded. */
  readonly labelOf: (sourceId: string) => string
}

/** The counts of one source: of all its streams, ended ones too. */
export interface SourceCounts {
  readonly id: string
  readonly totals: LedgerCounts
}

/** The ledger of each source, as figures. */
export interface LedgerMetrics {
  /** Takes over what the ledgers of the sources that are there say now. */
  refresh(sources: readonly SourceCounts[]): void
  /** Keeps the last counts of a source that is gone, so that no counter goes back. */
  retire(source: SourceCounts): void
}

type Series = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[]

interface Figure {
  readonly kind: typeof Counter | typeof Gauge
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly seriesOf: (counts: LedgerCounts) => Series
}

/** The columns of the ledger: what was opened = how it was closed + what is in flight. */
const FIGURES: readonly Figure[] = [
  {
    kind: Counter,
    name: 'tinyllava_frames_handed_out_total',
    help: 'Frames that the source handed out: the sum of tinyllava_frames_total and tinyllava_frames_in_flight.',
    seriesOf: ({ handedOut }) => [[{}, handedOut]],
  },
  {
    kind: Counter,
    name: 'tinyllava_frames_total',
    help: 'Frames by how their life ended; dropped ones with the reason.',
    labels: ['outcome', 'reason'],
    seriesOf: frameOutcomes,
  },
  {
    kind: Gauge,
    name: 'tinyllava_frames_in_flight',
    help: 'Frames between the source and the end of their life.',
    seriesOf: ({ framesInFlight }) => [[{}, framesInFlight]],
  },
  {
    kind: Counter,
    name: 'tinyllava_questions_asked_total',
    help: 'Questions asked: the sum of tinyllava_questions_total and tinyllava_questions_in_flight.',
    seriesOf: ({ asked }) => [[{}, asked]],
  },
  {
    kind: Counter,
    name: 'tinyllava_questions_total',
    help: 'Questions by how they ended.',
    labels: ['outcome'],
    seriesOf: ({ answered, questionsFailed }) => [
      [{ outcome: 'answered' }, answered],
      [{ outcome: 'failed' }, questionsFailed],
    ],
  },
  {
    kind: Gauge,
    name: 'tinyllava_questions_in_flight',
    help: 'Questions that wait for the model or are being answered.',
    seriesOf: ({ questionsInFlight }) => [[{}, questionsInFlight]],
  },
  {
    kind: Counter,
    name: 'tinyllava_deliveries_started_total',
    help: 'Results handed to the sinks: the sum of tinyllava_deliveries_total and tinyllava_deliveries_in_flight.',
    seriesOf: ({ results }) => [[{}, results]],
  },
  {
    kind: Counter,
    name: 'tinyllava_deliveries_total',
    help: 'Results by how their delivery to all sinks ended.',
    labels: ['outcome'],
    seriesOf: ({ delivered, deliveriesFailed }) => [
      [{ outcome: 'delivered' }, delivered],
      [{ outcome: 'failed' }, deliveriesFailed],
    ],
  },
  {
    kind: Gauge,
    name: 'tinyllava_deliveries_in_flight',
    help: 'Results on their way to the sinks.',
    seriesOf: ({ deliveriesInFlight }) => [[{}, deliveriesInFlight]],
  },
]

/** Registers the ledger's figures, each by source. */
export function ledgerMetrics({ registry, labelOf }: LedgerMetricsSetup): LedgerMetrics {
  const figures = FIGURES.map(({ kind, name, help, labels = [], seriesOf }) => {
    const metric = new kind({ name, help, labelNames: ['source', ...labels], registers: [registry] })
    return { metric, seriesOf }
  })
  const retired = new Map<string, LedgerCounts>()
  const add = (source: string, counts: LedgerCounts): void => {
    for (const { metric, seriesOf } of figures) {
      for (const [labels, value] of seriesOf(counts)) metric.inc({ source, ...labels }, value)
    }
  }
  return {
    refresh: (sources) => {
      for (const { metric } of figures) metric.reset()
      for (const [source, counts] of retired) add(source, counts)
      for (const { id, totals } of sources) add(labelOf(id), totals)
    },
    retire: ({ id, totals }) => {
      const source = labelOf(id)
      retired.set(source, addCounts(retired.get(source) ?? noCounts(), totals))
    },
  }
}

function frameOutcomes({ encoded, static: repeated, forwarded, skipped, failed, dropped }: LedgerCounts): Series {
  const plain = Object.entries({ encoded, static: repeated, forwarded, skipped, failed })
  return [
    ...plain.map(([outcome, count]) => [{ outcome, reason: '' }, count] as const),
    ...Object.entries(dropped).map(([reason, count]) => [{ outcome: 'dropped', reason }, count] as const),
  ]
}
