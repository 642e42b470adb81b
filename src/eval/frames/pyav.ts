import { linspaceIndices } from '../../sampling/linspace.js'
import { type FrameBudget, framesWanted } from './frame-budget.js'
import type { SeekPoint, VideoFacts } from './video-facts.js'

/**
 * The places of the frames that Video-MME and MLVU are asked about, ascending, each once.
 *
 * The reference goes by the header's count and rate: it works out a timestamp for each wanted frame, seeks to the
 * keyframe before the last of them, and takes the first picture at or after each. So a video that starts late or lacks
 * pictures gives others than a count would; one of variable rate is counted through; one whose header tells no number
 * gives its first frame alone. In an open group of pictures a seek leads too far, and the frames behind that keyframe
 * are taken in the place of all earlier ones. Source: TinyLLaVA-Video `eval/eval_videomme.py` and `eval_mlvu.py` (`get_video_frames`).
 */
export function pyavIndices(facts: VideoFacts, budget: FrameBudget): number[] {
  const { timeBase, averageFps, headerTicks, headerFrames, pts } = facts
  if (facts.isVariable) {
    // Its length is left in ticks there, so one frame a second is as many as are allowed.
    const counted = new Set(linspaceIndices(headerFrames, framesWanted(budget, headerTicks)))
    return [...counted].filter((index) => index >= 0 && index < pts.length)
  }
  const { numerator, denominator } = timeBase
  const wanted = framesWanted(budget, (headerTicks * numerator) / denominator)
  const places = [...new Set(linspaceIndices(headerFrames, wanted))].sort((left, right) => left - right)
  // In this order, as float64: it decides which way a quotient is cut.
  return seekEach(facts, places.map((place) => Math.trunc((place * denominator) / numerator / averageFps)))
}

/** The pictures that are found by seeking for these timestamps, from the last to the first. */
function seekEach({ pts, keyframes }: VideoFacts, targets: readonly number[]): number[] {
  const found = new Set<number>()
  let remaining = targets
  while (remaining.length > 0) {
    const start = seekTo(pts, keyframes, remaining.at(-1) ?? 0)
    const split = remaining.findIndex((target) => target >= (pts[start] ?? 0))
    // Where the keyframe comes after all of them, all are looked for from there.
    const here = split === -1 ? remaining : remaining.slice(split)
    remaining = split === -1 ? [] : remaining.slice(0, split)
    for (const place of takeFrom(pts, start, here)) found.add(place)
  }
  return [...found].sort((left, right) => left - right)
}

/** Goes through the pictures from `start`: each is taken if it is at or after the next target, for that one alone. */
function takeFrom(pts: readonly number[], start: number, targets: readonly number[]): number[] {
  const taken: number[] = []
  for (let place = start; place < pts.length && taken.length < targets.length; place += 1) {
    if ((pts[place] ?? 0) >= (targets[taken.length] ?? Infinity)) taken.push(place)
  }
  return taken
}

/** Place of the picture that a seek leads to: that of the last keyframe for this time; where there is none, of the first. */
function seekTo(pts: readonly number[], keyframes: readonly SeekPoint[], time: number): number {
  const key = keyframes.findLast(({ from }) => from <= time) ?? keyframes[0]
  const place = key === undefined ? 0 : pts.findIndex((shown) => shown >= key.pts)
  return Math.max(0, place)
}
