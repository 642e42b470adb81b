import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

import type { SourceNotice } from '../../sources/source.js'
import type { SourceState, SourceStatus } from '../source-entry.js'

/** What the figures of sources are kept with. */
export interface SourceMetricsSetup {
  readonly registry: Registry
  /** The label of a source; bounded. */
  readonly labelOf: (sourceId: string) => string
}

/** States, reconnects and lags of sources. */
export interface SourceMetrics {
  noticed(sourceId: string, notice: SourceNotice): void
  refresh(sources: readonly SourceStatus[]): void
  /** The source is gone: it has no lag any more. */
  retire(sourceId: string): void
}

const STATES: readonly SourceState[] = ['running', 'paused', 'stopping', 'ended', 'failed']

/** Notices that are figures, by their kind. */
const LAG_NOTICE = 'kafka-lag'
const LAG_OVER_NOTICE = 'kafka-lag-over'
const RECONNECT_NOTICE = 'reconnect'

/** Registers the figures of sources beside their ledgers. */
export function sourceMetrics({ registry, labelOf }: SourceMetricsSetup): SourceMetrics {
  const registers = [registry]
  const states = new Gauge({
    name: 'tinyllava_sources',
    help: 'Sources of the run, by what they are doing.',
    labelNames: ['state'],
    registers,
  })
  const thinned = new Gauge({
    name: 'tinyllava_frames_thinned_estimate',
    help: 'Frames of the streams at work that were thinned inside the decoder and never handed out; an estimate.',
    labelNames: ['source'],
    registers,
  })
  const reconnects = new Counter({
    name: 'tinyllava_reconnects_total',
    help: 'Times a source lost its other end and tried it again.',
    labelNames: ['source'],
    registers,
  })
  const lags = new Gauge({
    name: 'tinyllava_kafka_lag_messages',
    help: 'Messages of a partition of this process that were not taken yet, markers of transactions included.',
    labelNames: ['source', 'partition'],
    registers,
  })
  /** Partitions by source, so that a source's are forgotten with it. */
  const partitions = new Map<string, Map<string, number>>()
  return {
    noticed: (sourceId, { kind, fields }) => {
      if (kind === RECONNECT_NOTICE) reconnects.inc({ source: labelOf(sourceId) })
      if (kind === LAG_OVER_NOTICE) partitions.get(sourceId)?.delete(String(fields.partition))
      if (kind !== LAG_NOTICE) return
      const known = partitions.get(sourceId) ?? new Map<string, number>()
      partitions.set(sourceId, known.set(String(fields.partition), Number(fields.lag)))
    },
    refresh: (sources) => {
      for (const state of STATES) states.set({ state }, sources.filter((source) => source.state === state).length)
      thinned.reset()
      for (const { id, streams } of sources) {
        for (const { thinnedEstimate } of streams) thinned.inc({ source: labelOf(id) }, thinnedEstimate ?? 0)
      }
      lags.reset()
      const ids = new Set(sources.map(({ id }) => id))
      for (const [id, known] of partitions) {
        // A notice may come after its source is gone.
        if (!ids.has(id)) {
          partitions.delete(id)
          continue
        }
        for (const [partition, lag] of known) lags.inc({ source: labelOf(id), partition }, lag)
      }
    },
    retire: (sourceId) => void partitions.delete(sourceId),
  }
}
