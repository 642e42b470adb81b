import { expectInteger } from '../../checks.js'

/** Most frames that fit one clip. */
export const MOST_FRAMES = 512

/** How many frames of a video are looked at: the reference's `num_frame` and `max_frame`. */
export type FrameBudget =
  | { readonly kind: 'fixed'; readonly frames: number }
  /** One for each whole second, at most so many: `num_frame` -1. */
  | { readonly kind: 'per-second'; readonly maxFrames: number }

/**
 * Checks a number of frames that came in as a setting.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function expectBudget(budget: FrameBudget): FrameBudget {
  if (budget.kind === 'fixed') return { kind: 'fixed', frames: expectInteger('frames', budget.frames, 1, MOST_FRAMES) }
  return { kind: 'per-second', maxFrames: expectInteger('maxFrames', budget.maxFrames, 1, MOST_FRAMES) }
}

/** The number of frames of a video that is so many seconds long; at least 1. */
export function framesWanted(budget: FrameBudget, seconds: number): number {
  if (budget.kind === 'fixed') return budget.frames
  return Math.min(budget.maxFrames, Math.max(1, Math.trunc(seconds)))
}
