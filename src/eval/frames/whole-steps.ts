import type { FrameBudget } from './frame-budget.js'

/** What LongVideoBench goes by. */
export interface WholeSteps {
  /** Length of the video as its annotation tells it, in seconds. */
  readonly seconds: number
  readonly averageFps: number
  readonly budget: FrameBudget
}

/**
 * The places of frames a whole number of frames apart, from the first on: at most one for each second.
 *
 * The step is cut to a whole number, so the end of a video is often not reached. Source: TinyLLaVA-Video
 * `eval/lvbenchdataset.py` (`load_video`, `__getitem__`).
 */
export function wholeStepIndices({ seconds, averageFps, budget }: WholeSteps): number[] {
  const most = budget.kind === 'fixed' ? budget.frames : Math.min(budget.maxFrames, Math.max(1, seconds))
  const count = Math.trunc(Math.min(most, Math.trunc(seconds)))
  const step = Math.trunc(Math.trunc(seconds * averageFps) / count)
  return Array.from({ length: count }, (_, place) => step * place)
}
