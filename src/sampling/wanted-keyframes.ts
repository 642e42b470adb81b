import type { Sampling } from './sampling.js'
import { type Timeline, wantedIndices } from './wanted-indices.js'

/** What is known of a finite stream's keyframes before one frame of it is decoded. */
export interface KeyframeTimeline extends Timeline {
  /** Places of the keyframes among all frames, ascending; at least one. */
  readonly keyframes: readonly number[]
}

/** The places of the keyframes that stand for the wanted frames, ascending, each once. */
export function wantedKeyframes(sampling: Sampling, timeline: KeyframeTimeline): number[] {
  const { ptsMs, averageFps, keyframes } = timeline
  const timeOf = (index: number): number => ptsMs[index] ?? 0
  switch (sampling.kind) {
    case 'all':
    case 'fps':
      return wantedIndices(sampling, { ptsMs: keyframes.map(timeOf), averageFps }).map((place) => keyframes[place] ?? 0)
    case 'uniform':
    case 'uniform-per-second':
    case 'indices':
      return nearestOf(keyframes, wantedIndices(sampling, timeline), timeOf)
  }
}

/** For each wanted place, in ascending order, the keyframe nearest in time; of two as near, the earlier. */
function nearestOf(
  keyframes: readonly number[],
  wanted: readonly number[],
  timeOf: (index: number) => number,
): number[] {
  const found = new Set<number>()
  let place = 0
  for (const index of wanted) {
    const distanceTo = (keyframe: number | undefined): number =>
      keyframe === undefined ? Infinity : Math.abs(timeOf(keyframe) - timeOf(index))
    while (distanceTo(keyframes[place + 1]) < distanceTo(keyframes[place])) place += 1
    found.add(keyframes[place] ?? 0)
  }
  return [...found]
}
