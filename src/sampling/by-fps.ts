import { expectNumber } from '../checks.js'
import { exactnessOf } from './exactness.js'
import type { Exactness, Sampling } from './sampling.js'

/**
 * How much too early a frame may be, in milliseconds, and still count for its slot.
 *
 * Matroska, FLV and WebM round timestamps to whole milliseconds, and the first one is taken off the
 * others: two roundings of at most half a millisecond each. Without this, every third frame of a
 * 24 fps file would fall into the slot before its own.
 */
const EARLY_MS = 1

/**
 * Wants at most `fps` frames for each second of media time.
 *
 * ```
 * frames    a-b-c-d-e|   one each 100 ms
 * byFps(5)
 * kept      a---c---e|
 * ```
 *
 * Reads the frame's own time and no clock, so a file gives the same frames at any decoding speed.
 *
 * @param fps Highest number of frames for each second; above 0.
 * @param options Whether keyframes will do.
 * @throws {StreamError} `SETTING_INVALID`: `fps` isn't a finite number above 0, or another option is wrong.
 */
export function byFps(fps: number, options: Exactness = {}): Sampling {
  return { kind: 'fps', fps: expectNumber('fps', fps, { min: 0 }), ...exactnessOf(options) }
}

/**
 * The slot that a time belongs to. Slot 0 starts at media time 0, each is `1 / fps` seconds wide:
 * aligned to the stream's time and not to whichever frame came first, so that reading from the
 * middle makes the same slots.
 */
export function slotOf(ptsMs: number, fps: number): number {
  return Math.floor(((ptsMs + EARLY_MS) * fps) / 1000)
}

/**
 * Makes the rule for one run of a stream: told each frame's time in order, it says whether to keep it.
 *
 * The first frame of a slot is kept, the others are not.
 */
export function createFpsRule(fps: number): (ptsMs: number) => boolean {
  let lastSlot = -Infinity
  return (ptsMs) => {
    const slot = slotOf(ptsMs, fps)
    if (slot <= lastSlot) return false
    lastSlot = slot
    return true
  }
}
