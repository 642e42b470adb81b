import type { Sampling } from '../../sampling/sampling.js'
import { wantedIndices } from '../../sampling/wanted-indices.js'
import { wantedKeyframes } from '../../sampling/wanted-keyframes.js'
import { keyframesOf, planKeyframes } from './keyframe-plan.js'
import { type DecodeJob, planDecoding } from './seek-plan.js'
import { type VideoTrack, ticksToMs } from './video-track.js'

/** How the wanted pictures of a file are had. */
export interface WantedPlan {
  /** Media time of each picture of the file in display order, in milliseconds. */
  readonly ptsMs: readonly number[]
  readonly jobs: readonly DecodeJob[]
  /** Whether the decoder may pass over all pictures that aren't keyframes. */
  readonly keyframesOnly: boolean
  /** Where that isn't quite what was asked for: a sentence that says so. */
  readonly warning?: string
}

/** Plans which pictures of a file are decoded, and by how many runs of a decoder. */
export function planWanted(track: VideoTrack, sampling: Sampling): WantedPlan {
  const ptsMs = track.ticks.map((ticks) => ticksToMs(ticks, track.timeBase))
  const timeline = { ptsMs, averageFps: track.averageFps }
  const wanted = wantedIndices(sampling, timeline)
  const exact = { ptsMs, jobs: planDecoding(track, wanted), keyframesOnly: false }
  if (sampling.keyframesOnly !== true) return exact

  const keyframes = keyframesOf(track)
  if (keyframes.length === 0) return { ...exact, warning: 'The times of its keyframes are not known: the file was read exactly.' }
  const indices = wantedKeyframes(sampling, { ...timeline, keyframes })
  const plan = { ptsMs, jobs: planKeyframes(track, { keyframes, indices }), keyframesOnly: true }
  if (sampling.kind === 'all' || indices.length >= wanted.length) return plan
  return { ...plan, warning: `${indices.length} keyframes stand for ${wanted.length} wanted frames: there are no others near them.` }
}
