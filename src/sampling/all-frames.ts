import type { Sampling } from './sampling.js'

/**
 * Wants every frame.
 *
 * @example
 * ```ts
 * file('clip.mp4', { sampling: allFrames() })
 * ```
 */
export function allFrames(): Sampling {
  return { kind: 'all' }
}
