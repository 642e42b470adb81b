import { type FrameBudget, framesWanted } from './frame-budget.js'
import type { VideoFacts } from './video-facts.js'

/** A stretch of a video, in seconds. */
export interface Bound {
  readonly start: number
  readonly end: number
}

/** What segments are laid out over. */
export interface SegmentSpan {
  /** @default the whole video */
  readonly bound?: Bound | undefined
  readonly fps: number
  /** Number of the first frame. */
  readonly first: number
  /** Number of the last frame. */
  readonly last: number
  /** How many segments. */
  readonly count: number
}

/** Further than any video reaches, in seconds, as the reference has it. */
const WHOLE: Bound = { start: -100_000, end: 100_000 }

/**
 * The middle frame of each of `count` segments of a stretch. Source: TinyLLaVA-Video `eval/eval_mvbench.py` (`get_index`).
 */
export function segmentMiddles({ bound = WHOLE, fps, first, last, count }: SegmentSpan): number[] {
  const start = Math.max(first, roundHalfEven(bound.start * fps))
  const end = Math.min(roundHalfEven(bound.end * fps), last)
  const size = (end - start) / count
  return Array.from({ length: count }, (_, place) => Math.trunc(start + size / 2 + roundHalfEven(size * place)))
}

/** MVBench's AVI and WebM files: the middles of segments of the whole video. */
export function videoSegments({ pts, averageFps }: Pick<VideoFacts, 'pts' | 'averageFps'>, budget: FrameBudget): number[] {
  const count = framesWanted(budget, pts.length / averageFps)
  return segmentMiddles({ fps: averageFps, first: 0, last: pts.length - 1, count })
}

/** Pictures for each second of MVBench's videos that are stored as folders. */
const FOLDER_FPS = 3

/** MVBench's folders of pictures, which are numbered from 1: the middles of segments of a stretch. */
export function folderSegments(total: number, budget: FrameBudget, bound: Bound | undefined): number[] {
  const count = framesWanted(budget, total / FOLDER_FPS)
  return segmentMiddles({ bound, fps: FOLDER_FPS, first: 1, last: total, count })
}

/** Rounds as Python's `round` and numpy do: a half to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}
