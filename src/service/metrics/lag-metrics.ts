import { Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

import { OTHER } from './labels.js'

/** What lag is measured with. */
export interface LagMetricsSetup {
  readonly registry: Registry
  /** Most streams with a series of their own at the same time. */
  readonly maxStreams: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Ids of the streams that are not over. */
  readonly streamsAtWork: () => ReadonlySet<string>
}

/** How far answers are behind the world. */
export interface LagMetrics {
  /** A result about a clip of this time is safe. */
  answered(streamId: string, capturedAt: string): void
  /** Measures again: lag grows while nothing is answered. */
  refresh(): void
}

/** Streams after which those that ended are looked for. */
const MOST_KEPT = 1000

const LAG_SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600]

/** Registers the figures of lag behind live; streams whose time of capture isn't known have none. */
export function lagMetrics({ registry, maxStreams, now, streamsAtWork }: LagMetricsSetup): LagMetrics {
  const delay = new Histogram({
    name: 'tinyllava_capture_to_answer_seconds',
    help: 'Time from the capture of a clip’s last frame until its answer was safe.',
    buckets: LAG_SECONDS,
    registers: [registry],
  })
  const lag = new Gauge({
    name: 'tinyllava_lag_seconds',
    help: 'Time since the capture of the last frame that was answered; of streams over the bound the longest.',
    labelNames: ['stream'],
    registers: [registry],
  })
  const lastCaptured = new Map<string, number>()
  // Answers still come after their stream's end, so its end is not when it can be forgotten.
  const forgetEnded = (): void => {
    const atWork = streamsAtWork()
    for (const streamId of lastCaptured.keys()) if (!atWork.has(streamId)) lastCaptured.delete(streamId)
  }
  return {
    answered: (streamId, capturedAt) => {
      const capturedMs = Date.parse(capturedAt)
      if (Number.isNaN(capturedMs)) return
      // Nobody may ever ask for the figures.
      if (lastCaptured.size > MOST_KEPT && !lastCaptured.has(streamId)) forgetEnded()
      lastCaptured.set(streamId, capturedMs)
      delay.observe(Math.max(0, now() - capturedMs) / 1000)
    },
    refresh: () => {
      forgetEnded()
      lag.reset()
      for (const [stream, seconds] of boundedLags(lastCaptured, { maxStreams, nowMs: now() })) lag.set({ stream }, seconds)
    },
  }
}

/** The lag of the streams that were answered first, each by its name, and the longest of all others. */
function boundedLags(
  lastCaptured: ReadonlyMap<string, number>,
  { maxStreams, nowMs }: { maxStreams: number; nowMs: number },
): ReadonlyMap<string, number> {
  const lags = new Map<string, number>()
  for (const [streamId, capturedMs] of lastCaptured) {
    const label = lags.size < maxStreams ? streamId : OTHER
    lags.set(label, Math.max(lags.get(label) ?? 0, (nowMs - capturedMs) / 1000))
  }
  return lags
}
