import { z } from 'zod'

import { StreamError } from '../errors.js'
import { checkSettings } from '../settings.js'
import { exactnessOf } from './exactness.js'
import type { Exactness, Sampling } from './sampling.js'

/** Places of frames, counted from 0. */
export const indicesSchema: z.ZodType<readonly number[]> = z.array(z.int().min(0)).min(1)

/**
 * Wants the frames at these places of a finite stream's display order, counted from 0.
 *
 * For rules of your own: work out the places, hand them to the source, and only those frames are decoded. A place
 * that stands there twice gives its frame twice; the order of the list is of no matter, frames come as they are shown. A
 * stream that ends before the last place errors with `SETTING_INVALID`.
 *
 * @example
 * ```ts
 * file('clip.mp4', { sampling: atIndices([0, 12, 12, 99]) })
 * ```
 * @param indices Places; at least one.
 * @param options Whether keyframes will do.
 * @throws {StreamError} `SETTING_INVALID`: not such a list, or another option is wrong.
 */
export function atIndices(indices: readonly number[], options: Exactness = {}): Sampling {
  return { kind: 'indices', indices: checkSettings('indices', indicesSchema, indices), ...exactnessOf(options) }
}

/**
 * The places in ascending order, once it is known that the stream has them.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function placesWithin(indices: readonly number[], frames: number): number[] {
  const places = [...indices].sort((left, right) => left - right)
  const last = places.at(-1) ?? 0
  if (last < frames) return places
  throw new StreamError('SETTING_INVALID', `Frame ${last} is wanted, and the stream has ${frames}, counted from 0.`)
}
