import type { StreamStatus } from './source-entry.js'
import type { RunSources } from './source-registry.js'

/** Frames of one stream that were dropped. */
export interface Dropped {
  readonly streamId: string
  /** How many, by reason. */
  readonly reasons: Readonly<Record<string, number>>
}

/** Makes a function that tells which frames were dropped since it was last called. Keeps nothing of ended streams. */
export function newlyDropped(sources: Pick<RunSources, 'list'>): () => readonly Dropped[] {
  let before = new Map<string, StreamStatus['counts']['dropped']>()
  return () => {
    const streams = sources.list().flatMap((source) => source.streams)
    const dropped = streams.map(({ id, epoch, counts }) => ({
      streamId: id,
      reasons: increaseOf(before.get(`${id} ${epoch}`) ?? {}, counts.dropped),
    }))
    before = new Map(streams.map(({ id, epoch, counts }) => [`${id} ${epoch}`, counts.dropped]))
    return dropped.filter(({ reasons }) => Object.keys(reasons).length > 0)
  }
}

function increaseOf(before: Dropped['reasons'], now: Dropped['reasons']): Dropped['reasons'] {
  const increases = Object.entries(now).map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
  return Object.fromEntries(increases.filter(([, count]) => count > 0))
}
