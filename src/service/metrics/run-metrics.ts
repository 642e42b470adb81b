import { Registry } from 'prom-client'

import type { Result } from '../../envelope.js'
import type { ObservedRun } from '../observed-run.js'
import { boundedLabel } from './labels.js'
import { lagMetrics } from './lag-metrics.js'
import { ledgerMetrics } from './ledger-metrics.js'
import { processMetrics } from './process-metrics.js'
import { runStateMetrics } from './run-state-metrics.js'
import { sourceMetrics } from './source-metrics.js'
import { stageMetrics } from './stage-metrics.js'

/** How a run is measured. */
export interface RunMetricsOptions {
  /** Most sources with figures of their own, over the whole life of the run; later ones are one, `other`. @default 100 */
  readonly maxSources?: number
  /** Most streams with a lag of their own at the same time. @default 100 */
  readonly maxStreams?: number
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** The figures of a run, for Prometheus. */
export interface RunMetrics {
  /** The HTTP content type of `text`. */
  readonly contentType: string
  /** All figures as they are now, those of the process included. */
  text(): Promise<string>
  /** Stops measuring. */
  close(): void
}

/**
 * Measures a run from now on.
 *
 * The figures of the ledger are read from the ledger itself when they are asked for, all at the same moment:
 * its equations hold in what is exported.
 *
 * **Memory**: bounded by the streams at work and by `maxSources`, however many sources come and go.
 */
export function createRunMetrics(run: ObservedRun, options: RunMetricsOptions = {}): RunMetrics {
  const { maxSources = 100, maxStreams = 100, now = Date.now } = options
  const registry = new Registry()
  const labelOf = boundedLabel(maxSources)
  const ledger = ledgerMetrics({ registry, labelOf })
  const sources = sourceMetrics({ registry, labelOf })
  const streamsAtWork = () => new Set(run.sources.list().flatMap(({ streams }) => streams.map(({ id }) => id)))
  const lag = lagMetrics({ registry, maxStreams, now, streamsAtWork })
  const stages = stageMetrics(registry, now)
  const state = runStateMetrics(registry)

  const onResult = (result: Result): void => {
    stages.delivered(result)
    if (result.clip.capturedAt !== null) lag.answered(result.source.id, result.clip.capturedAt)
  }
  // Names go to who comes first, the declared sources before all.
  for (const { id } of run.sources.list()) labelOf(id)
  const watching = run.answers$.subscribe(onResult)
  watching.add(
    run.events$.subscribe((event) => {
      if (event.kind === 'answer-end') stages.generated(event.id)
      else if (event.kind === 'source-added') labelOf(event.sourceId)
      else if (event.kind === 'source-notice') sources.noticed(event.sourceId, event.notice)
      else if (event.kind === 'source-removed') {
        ledger.retire({ id: event.sourceId, totals: event.counts })
        sources.retire(event.sourceId)
      }
    }),
  )
  const refresh = (): void => {
    const list = run.sources.list()
    ledger.refresh(list)
    sources.refresh(list)
    lag.refresh()
    state.refresh(run.status())
  }
  return {
    contentType: registry.contentType,
    text: async () => {
      refresh()
      const texts = await Promise.all([registry.metrics(), processMetrics().metrics()])
      return texts.join('\n')
    },
    close: () => {
      watching.unsubscribe()
    },
  }
}
