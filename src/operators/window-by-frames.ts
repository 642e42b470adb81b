import type { Clip } from '../types.js'
import { makeClip, markOf } from './clip-rule.js'
import type { ClipRule, HeldFrame, RuleState } from './clip-rule.js'

/** Settings of a window that counts frames; checked by `slidingWindow`. */
export interface FrameWindow {
  readonly frames: number
  readonly every: number
  readonly onPartial: 'emit' | 'drop'
}

/** Windows of a number of frames: window k holds the frames `k * every` to `k * every + frames - 1`. */
export function windowByFrames({ frames, every, onPartial }: FrameWindow, state: RuleState = {}): ClipRule {
  /** The frames of the oldest open window; younger ones share them. */
  let held: HeldFrame[] = []
  /** Frames to pass over before the next window begins, where windows don't touch. */
  let toSkip = state.toSkip ?? 0
  /** How many of the held frames, from the first on, a window was closed with already. */
  let seen = state.seen ?? 0

  const close = (): readonly Clip[] => {
    const clip = makeClip(held)
    held = held.slice(every)
    toSkip = Math.max(0, every - frames)
    seen = held.length
    return [clip]
  }

  return {
    take: (frame) => {
      if (toSkip > 0) {
        toSkip -= 1
        return []
      }
      held.push(frame)
      return held.length === frames ? close() : []
    },
    end: (lostAfter) => {
      if (held.length <= seen || onPartial === 'drop') return []
      const warning = `The stream ended after ${held.length} of the window's ${frames} frames.`
      return [makeClip(held, { lostAfter, warnings: [warning] })]
    },
    mark: () => markOf(held, { toSkip, seen }),
  }
}
