import { type DecodeJob, type PlanOptions, planDecoding } from './seek-plan.js'
import type { VideoTrack } from './video-track.js'

/** Places of the keyframes in display order; none where pictures can't be known by their times. */
export function keyframesOf({ ticks, keyTicks, hasTimestamps }: VideoTrack): number[] {
  if (!hasTimestamps) return []
  // What an edit list cuts off has keyframes, too, that are never shown.
  const keyTimes = new Set(keyTicks)
  return ticks.flatMap((time, index) => (keyTimes.has(time) ? [index] : []))
}

/**
 * Plans how to get keyframes with a decoder that passes over all other pictures.
 *
 * As `planDecoding`, on a track that has no pictures but these: what lies between two of them is read and
 * not decoded, which costs no more than reading the file once.
 *
 * @param keyframes Places of all keyframes, ascending.
 * @param indices Places of the wanted ones, ascending; at least one.
 */
export function planKeyframes(
  track: VideoTrack,
  { keyframes, indices }: { readonly keyframes: readonly number[]; readonly indices: readonly number[] },
  options: PlanOptions = {},
): DecodeJob[] {
  const keyTicks = keyframes.map((index) => track.ticks[index] ?? 0)
  const placeOf = new Map(keyframes.map((index, place) => [index, place]))
  const places = indices.map((index) => placeOf.get(index) ?? 0)
  return planDecoding({ ...track, ticks: keyTicks, keyTicks }, places, options).map((job) => ({
    ...job,
    pictures: job.pictures.map(({ index, times }) => ({ index: keyframes[index] ?? 0, times })),
  }))
}
