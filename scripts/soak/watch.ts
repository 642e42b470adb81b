import type { Run } from 'tinyllava-stream'

import type { MemorySample } from './verdict.js'

/** What was seen of a run. */
export interface Seen {
  /** How often each kind of notice came. */
  readonly notices: ReadonlyMap<string, number>
  /** Messages behind the end, last and worst, over all partitions. */
  readonly kafkaLag: () => { readonly last: number; readonly worst: number }
  /** Longest time from a picture of a camera to the answer about it. */
  readonly worstLagMs: () => number
}

/** Watches a run until it is over. Memory: a number for each partition and each kind of notice. */
export function watch(run: Pick<Run, 'answers$' | 'events$'>): Seen {
  const notices = new Map<string, number>()
  const behind = new Map<unknown, number>()
  const lag = (): number => [...behind.values()].reduce((sum, messages) => sum + messages, 0)
  let [worstLag, worstLagMs] = [0, 0]
  run.events$.subscribe((event) => {
    if (event.kind !== 'source-notice') return
    const { kind, fields } = event.notice
    notices.set(kind, (notices.get(kind) ?? 0) + 1)
    if (kind === 'kafka-lag-over') behind.delete(fields.partition)
    if (kind !== 'kafka-lag') return
    behind.set(fields.partition, Number(fields.lag))
    worstLag = Math.max(worstLag, lag())
  })
  run.answers$.subscribe(({ clip: { capturedAt } }) => {
    if (capturedAt !== null) worstLagMs = Math.max(worstLagMs, Date.now() - Date.parse(capturedAt))
  })
  return { notices, kafkaLag: () => ({ last: lag(), worst: worstLag }), worstLagMs: () => worstLagMs }
}

/** The resident memory now. */
export function sampleMemory(beginMs: number): MemorySample {
  return { minute: (Date.now() - beginMs) / 60_000, megabytes: process.memoryUsage().rss / 1e6 }
}
