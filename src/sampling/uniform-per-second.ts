import { expectInteger } from '../checks.js'
import { exactnessOf } from './exactness.js'
import type { Exactness, Sampling } from './sampling.js'

/** Settings of `uniformPerSecond`. */
export interface UniformPerSecondOptions extends Exactness {
  /**
   * Highest number of frames, however long the video is.
   *
   * @default 64
   */
  readonly maxFrames?: number
}

/** What the number of frames is worked out from. */
export interface StreamLength {
  /** Number of frames of the whole stream. */
  readonly frames: number
  /** Frames for each second, on average over the whole stream, as the container tells it. */
  readonly averageFps: number
}

/**
 * Wants one frame for each whole second of a finite stream, spread evenly as by `uniform`.
 *
 * This is the reference's "1 fps": the number of frames follows from the length, their places from
 * `linspaceIndices`. It is not one frame at each second of the clock; that is `byFps(1)`.
 *
 * @throws {StreamError} `SETTING_INVALID`: `maxFrames` isn't a whole number >= 1, or another option is wrong.
 */
export function uniformPerSecond({ maxFrames = 64, ...exactness }: UniformPerSecondOptions = {}): Sampling {
  return { kind: 'uniform-per-second', maxFrames: expectInteger('maxFrames', maxFrames, 1), ...exactnessOf(exactness) }
}

/** How many frames `uniformPerSecond` takes: the whole seconds, at least 1 and at most `maxFrames`. */
export function uniformPerSecondCount(length: StreamLength & { readonly maxFrames: number }): number {
  const seconds = Math.trunc(length.frames / length.averageFps)
  return Math.min(length.maxFrames, Math.max(1, seconds))
}
