import { Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

import type { Result } from '../../envelope.js'

/** What becomes of results, as durations. */
export interface StageMetrics {
  /** The model is through with the question of this id. */
  generated(id: string): void
  /** All sinks have the result safe. */
  delivered(result: Result): void
}

/** Questions whose delivery is waited for; of more the oldest are forgotten, as not every result is delivered. */
const MOST_WAITING = 1000

/** From a frame on a GPU to a long answer on a CPU. */
const STAGE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

/**
 * Registers the histogram of the stages that a result goes through.
 *
 * @param now A clock, in milliseconds.
 */
export function stageMetrics(registry: Registry, now: () => number): StageMetrics {
  const stages = new Histogram({
    name: 'tinyllava_stage_duration_seconds',
    help: 'Time that results spent in each stage; encode: a frame of the clip, waiting for the model included.',
    labelNames: ['stage'],
    buckets: STAGE_SECONDS,
    registers: [registry],
  })
  const generatedAt = new Map<string, number>()
  const observe = (stage: string, milliseconds: number): void => {
    stages.observe({ stage }, milliseconds / 1000)
  }
  return {
    generated: (id) => {
      const [oldest] = generatedAt.keys()
      if (generatedAt.size >= MOST_WAITING && oldest !== undefined) generatedAt.delete(oldest)
      generatedAt.set(id, now())
    },
    delivered: (result) => {
      for (const [stage, milliseconds] of modelStages(result)) observe(stage, milliseconds)
      const sinceMs = generatedAt.get(result.id)
      if (sinceMs === undefined) return
      generatedAt.delete(result.id)
      observe('deliver', now() - sinceMs)
    },
  }
}

/** What an answer says of its own making. */
function modelStages(result: Result): readonly (readonly [stage: string, milliseconds: number])[] {
  if (result.kind !== 'answer') return []
  const { encode, connect, prefill, decode } = result.timingsMs
  return [
    ['encode', encode / result.clip.frames.length],
    ...Object.entries({ connect, prefill, decode }),
  ]
}
