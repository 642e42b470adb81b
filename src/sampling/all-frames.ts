import { exactnessOf } from './exactness.js'
import type { Exactness, Sampling } from './sampling.js'

/**
 * Wants every frame, or every keyframe.
 *
 * @example
 * ```ts
 * file('clip.mp4', { sampling: allFrames() })
 * ```
 * @param options Whether keyframes will do.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function allFrames(options: Exactness = {}): Sampling {
  return { kind: 'all', ...exactnessOf(options) }
}
