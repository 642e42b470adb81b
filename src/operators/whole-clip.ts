import type { OperatorFunction } from 'rxjs'

import { expectInteger } from '../checks.js'
import type { Clip, EncodedFrame } from '../types.js'
import { makeClip, markOf } from './clip-rule.js'
import type { ClipRule, HeldFrame } from './clip-rule.js'
import { collectClips } from './collect-clips.js'
import { tooManyFrames } from './too-many-frames.js'

/** Settings of `wholeClip`. */
export interface WholeClipOptions {
  /** Most frames in the clip; one more ends the stream with `CLIP_TOO_LONG`. @default 512 */
  readonly maxFrames?: number
}

/**
 * Gathers all encoded frames of a stream into one clip.
 *
 * ```
 * frames       a-b-c-d-|
 * wholeClip()  --------(w|)    w = abcd
 * ```
 *
 * For finite streams: put `sampling: uniform(16)` or so on the source. A stream without frames gives no clip.
 *
 * - **next**: the frame is held.
 * - **complete**, and a new **epoch**: the clip is emitted.
 * - **error** and **unsubscribe**: what is held is let go.
 *
 * **Memory**: at most `maxFrames` encoded frames. A longer stream ends with `CLIP_TOO_LONG` instead of
 * being cut in silence: an answer about half a video would look like one about all of it.
 *
 * @example
 * ```ts
 * frames.pipe(encode(model), wholeClip(), answer(model, 'What happens?'))
 * ```
 *
 * @param options The bound.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function wholeClip(options: WholeClipOptions = {}): OperatorFunction<EncodedFrame, Clip> {
  const maxFrames = expectInteger('maxFrames', options.maxFrames ?? 512, 1)
  return collectClips(() => holdAll(maxFrames))
}

function holdAll(maxFrames: number): ClipRule {
  const held: HeldFrame[] = []
  return {
    take: (frame) => {
      if (held.length === maxFrames) throw tooManyFrames(frame.frame.stream, 'The clip', maxFrames)
      held.push(frame)
      return []
    },
    end: (lostAfter) => [makeClip(held, { lostAfter })],
    mark: () => markOf(held, {}),
  }
}
