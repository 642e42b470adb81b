import type { OperatorFunction } from 'rxjs'

import { expectInteger, expectNumber } from '../checks.js'
import { StreamError } from '../errors.js'
import type { Clip, EncodedFrame } from '../types.js'
import { collectClips } from './collect-clips.js'
import { windowByFrames } from './window-by-frames.js'
import { windowBySeconds } from './window-by-seconds.js'

/** What to do with a window that the end of the stream cuts short. */
export type OnPartial =
  /** Emit it, with a warning that says how much of it there is. */
  | 'emit'
  /** Let it go. */
  | 'drop'

/** A window of a number of frames. */
export interface FrameWindowOptions {
  /** Frames in a window. */
  readonly frames: number
  /** Frames from the begin of one window to the begin of the next. @default frames: windows side by side */
  readonly every?: number
  /** @default 'emit' */
  readonly onPartial?: OnPartial
}

/** A window of media time. */
export interface TimeWindowOptions {
  /** Length of a window in seconds of media time. */
  readonly seconds: number
  /** Seconds from the begin of one window to the begin of the next. @default seconds: windows side by side */
  readonly everySeconds?: number
  /** Most frames in a window; one more ends the stream with `CLIP_TOO_LONG`. @default 512 */
  readonly maxFrames?: number
  /** @default 'emit' */
  readonly onPartial?: OnPartial
}

/**
 * Gathers encoded frames into overlapping clips.
 *
 * ```
 * frames                                  a-b-c-d-e-f-|
 * slidingWindow({ frames: 4, every: 2 })  ------w---x-|    w = abcd, x = cdef
 * ```
 *
 * By frames, windows are counted from the first frame of the epoch. By seconds, window k begins at media
 * time `k * everySeconds`, whichever frame comes first: a replay from the begin of a window makes the
 * same windows. The first one, at the start and after a gap, is the latest that has begun by then. Where
 * frames are looked at again later (Kafka, restarts), take seconds.
 *
 * - **next**: the frame joins the open windows; the one it completes is emitted. By seconds a window is
 *   complete when the first frame behind its end comes.
 * - **complete**, and a new **epoch**: one window that is cut short is emitted with a warning, or let go
 *   (`onPartial`): the oldest one, if it holds a frame that no window before it held.
 * - **error** and **unsubscribe**: what is held is let go.
 *
 * Frames between windows (`every` above `frames`) are let go. No window spans two epochs.
 *
 * **Memory**: the frames of one window, at most `frames` or `maxFrames`: overlapping windows share them.
 *
 * @example
 * ```ts
 * frames.pipe(encode(model), slidingWindow({ seconds: 16, everySeconds: 4 }), answer(model, 'What happens?'))
 * ```
 *
 * @param options Length and step, in frames or in seconds.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function slidingWindow(options: FrameWindowOptions | TimeWindowOptions): OperatorFunction<EncodedFrame, Clip> {
  const onPartial = checkOnPartial(options.onPartial ?? 'emit')
  if ('frames' in options) {
    const frames = expectInteger('frames', options.frames, 1)
    const every = expectInteger('every', options.every ?? frames, 1)
    return collectClips((state) => windowByFrames({ frames, every, onPartial }, state))
  }
  // A microsecond is the resolution of media time.
  const seconds = expectNumber('seconds', options.seconds, { min: 1e-6, inclusive: true })
  const everySeconds = expectNumber('everySeconds', options.everySeconds ?? seconds, { min: 1e-6, inclusive: true })
  const maxFrames = expectInteger('maxFrames', options.maxFrames ?? 512, 1)
  return collectClips((state) => windowBySeconds({ seconds, everySeconds, maxFrames, onPartial }, state))
}

function checkOnPartial(value: string): OnPartial {
  if (value === 'emit' || value === 'drop') return value
  throw new StreamError('SETTING_INVALID', `Expected \`onPartial\` to be 'emit' or 'drop', got \`${value}\`.`)
}
