import type { Clip } from '../types.js'
import { makeClip } from './clip-rule.js'
import type { ClipRule, HeldFrame } from './clip-rule.js'

/** Settings of a window that counts frames; checked by `slidingWindow`. */
export interface FrameWindow {
  readonly frames: number
  readonly every: number
  readonly onPartial: 'emit' | 'drop'
}

/** Windows of a number of frames: window k holds the frames `k * every` to `k * every + frames - 1`. */
export function windowByFrames({ frames, every, onPartial }: FrameWindow): ClipRule {
  /** The frames of the oldest open window; younger ones share them. */
  let held: HeldFrame[] = []
  /** Frames to pass over before the next window begins, where windows don't touch. */
  let toSkip = 0
  /** Whether a frame is held that no window was closed with. */
  let hasNew = false

  const close = (): readonly Clip[] => {
    const clip = makeClip(held)
    held = held.slice(every)
    toSkip = Math.max(0, every - frames)
    hasNew = false
    return [clip]
  }

  return {
    take: (frame) => {
      if (toSkip > 0) {
        toSkip -= 1
        return []
      }
      held.push(frame)
      hasNew = true
      return held.length === frames ? close() : []
    },
    end: (lostAfter) => {
      if (!hasNew || onPartial === 'drop') return []
      const warning = `The stream ended after ${held.length} of the window's ${frames} frames.`
      return [makeClip(held, { lostAfter, warnings: [warning] })]
    },
  }
}
