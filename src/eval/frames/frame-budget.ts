/** How many frames of a video are looked at: the reference's `num_frame` and `max_frame`. */
export type FrameBudget =
  | { readonly kind: 'fixed'; readonly frames: number }
  /** One for each whole second, at most so many: `num_frame` -1. */
  | { readonly kind: 'per-second'; readonly maxFrames: number }

/** The number of frames of a video that is so many seconds long; at least 1. */
export function framesWanted(budget: FrameBudget, seconds: number): number {
  if (budget.kind === 'fixed') return budget.frames
  return Math.min(budget.maxFrames, Math.max(1, Math.trunc(seconds)))
}
