import { expectInteger } from '../checks.js'
import { exactnessOf } from './exactness.js'
import type { Exactness, Sampling } from './sampling.js'

/**
 * Wants `frames` frames spread evenly over a finite stream, the first and the last among them.
 *
 * A stream with fewer frames repeats some: the model always gets as many as were asked for, as in the
 * reference's evaluation script. See `linspaceIndices` for the rule.
 *
 * @param frames Number of frames; a whole number from 1 on.
 * @param options Whether keyframes will do.
 * @throws {StreamError} `SETTING_INVALID`: `frames` isn't a whole number >= 1, or another option is wrong.
 */
export function uniform(frames: number, options: Exactness = {}): Sampling {
  return { kind: 'uniform', frames: expectInteger('frames', frames, 1), ...exactnessOf(options) }
}
