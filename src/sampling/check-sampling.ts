import { expectInteger, expectNumber } from '../checks.js'
import { StreamError } from '../errors.js'
import type { Sampling } from './sampling.js'

/** The fields a value may have, none of them known to be right. */
type Unchecked = Readonly<Record<'kind' | 'fps' | 'frames' | 'maxFrames', unknown>>

/**
 * Checks that a value says which frames are wanted, and returns it.
 *
 * What `uniform` and the others make is right already; JavaScript and JSON can hand over anything.
 *
 * @throws {StreamError} `SETTING_INVALID`: another kind of value, an unknown `kind`, or a wrong number in it.
 */
export function checkSampling(value: unknown): Sampling {
  const sampling: Partial<Unchecked> = typeof value === 'object' && value !== null ? value : {}
  switch (sampling.kind) {
    case 'all':
      return { kind: 'all' }
    case 'fps':
      return { kind: 'fps', fps: expectNumber('sampling.fps', sampling.fps, { min: 0 }) }
    case 'uniform':
      return { kind: 'uniform', frames: expectInteger('sampling.frames', sampling.frames, 1) }
    case 'uniform-per-second':
      return { kind: 'uniform-per-second', maxFrames: expectInteger('sampling.maxFrames', sampling.maxFrames, 1) }
    default:
      throw new StreamError(
        'SETTING_INVALID',
        'Expected `sampling` to be made by `allFrames`, `byFps`, `uniform` or `uniformPerSecond`.',
      )
  }
}
