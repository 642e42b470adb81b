import type { Clip } from '../types.js'
import { makeClip, markOf } from './clip-rule.js'
import type { ClipRule, HeldFrame, RuleState } from './clip-rule.js'
import { tooManyFrames } from './too-many-frames.js'

/** Settings of a window of media time; checked by `slidingWindow`. */
export interface TimeWindow {
  readonly seconds: number
  readonly everySeconds: number
  readonly maxFrames: number
  readonly onPartial: 'emit' | 'drop'
}

/**
 * Windows of media time: window k holds the frames from `k * everySeconds` on, for `seconds`.
 *
 * A window is only closed with a frame that no earlier one was closed with, so a gap in the stream
 * makes no windows of its own, and there are never more clips than frames.
 */
export function windowBySeconds(
  { seconds, everySeconds, maxFrames, onPartial }: TimeWindow,
  state: RuleState = {},
): ClipRule {
  // Whole microseconds, so that steps of 0.1 s can't drift.
  const lengthUs = Math.round(seconds * 1e6)
  const everyUs = Math.round(everySeconds * 1e6)
  /** The oldest open window. */
  let open = state.open
  /** Its frames; younger ones share them. */
  let held: HeldFrame[] = []
  /** How many of the held frames, from the first on, a window was closed with already. */
  let seen = state.seen ?? 0
  /** Media time of the last frame. */
  let lastUs: number | undefined
  /** The smallest time between two frames: how long one is shown at least. A gap in the stream doesn't raise it. */
  let shownUs = state.shownUs

  const endOf = (window: number): number => window * everyUs + lengthUs

  /** Closes the windows that have ended by now: the oldest, as the others hold nothing that it doesn't. */
  const closeUntil = (nowUs: number): readonly Clip[] => {
    const latestBegun = Math.floor(nowUs / everyUs)
    open ??= latestBegun
    if (endOf(open) > nowUs) return []
    const clips = held.length > seen ? [makeClip(held)] : []
    const oldestOpen = Math.floor((nowUs - lengthUs) / everyUs) + 1
    held = held.filter((frame) => timeUs(frame) >= oldestOpen * everyUs)
    seen = held.length
    // After a gap as at the start: windows that would begin without a frame are passed over.
    open = held.length === 0 ? Math.max(oldestOpen, latestBegun) : oldestOpen
    return clips
  }

  return {
    take: (frame) => {
      const nowUs = timeUs(frame)
      const clips = closeUntil(nowUs)
      if (lastUs !== undefined) shownUs = Math.min(shownUs ?? Infinity, nowUs - lastUs)
      lastUs = nowUs
      const isBetweenWindows = open !== undefined && nowUs < open * everyUs
      if (isBetweenWindows) return clips
      if (held.length === maxFrames) throw tooManyFrames(frame.frame.stream, `A window of ${seconds} s`, maxFrames)
      held.push(frame)
      return clips
    },
    end: (lostAfter) => {
      if (open === undefined || lastUs === undefined || held.length <= seen) return []
      // The last frame is shown about as long as the others; of a lone one nothing is known.
      const isWhole = lastUs + 1.5 * (shownUs ?? 0) >= endOf(open)
      if (isWhole) return [makeClip(held, { lostAfter })]
      const warning = `The stream ended before the window's ${seconds} s were over.`
      return onPartial === 'drop' ? [] : [makeClip(held, { lostAfter, warnings: [warning] })]
    },
    mark: () =>
      markOf(held, { seen, ...(open === undefined ? {} : { open }), ...(shownUs === undefined ? {} : { shownUs }) }),
  }
}

function timeUs({ frame }: HeldFrame): number {
  return Math.round(frame.ptsMs * 1000)
}
