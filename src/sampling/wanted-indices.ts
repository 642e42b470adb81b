import { placesWithin } from './at-indices.js'
import { createFpsRule } from './by-fps.js'
import { linspaceIndices } from './linspace.js'
import type { Sampling } from './sampling.js'
import { uniformPerSecondCount } from './uniform-per-second.js'

/** What is known of a finite stream before one frame of it is decoded. */
export interface Timeline {
  /** Media time of each frame in display order, in milliseconds; at least one. */
  readonly ptsMs: readonly number[]
  /** Frames for each second, on average, as the container tells it; above 0. */
  readonly averageFps: number
}

/**
 * The places of the wanted frames, ascending; a place is there twice where its frame is wanted twice.
 *
 * @throws {StreamError} `SETTING_INVALID`: a place that the stream doesn't have.
 */
export function wantedIndices(sampling: Sampling, { ptsMs, averageFps }: Timeline): number[] {
  const frames = ptsMs.length
  switch (sampling.kind) {
    case 'all':
      return Array.from({ length: frames }, (_, index) => index)
    case 'fps':
      return keptIndices(ptsMs, createFpsRule(sampling.fps))
    case 'uniform':
      return linspaceIndices(frames, sampling.frames)
    case 'uniform-per-second':
      return linspaceIndices(frames, uniformPerSecondCount({ frames, averageFps, maxFrames: sampling.maxFrames }))
    case 'indices':
      return placesWithin(sampling.indices, frames)
  }
}

function keptIndices(ptsMs: readonly number[], isKept: (ptsMs: number) => boolean): number[] {
  const indices: number[] = []
  ptsMs.forEach((time, index) => {
    if (isKept(time)) indices.push(index)
  })
  return indices
}
