import { checkSettings } from '../settings.js'
import { samplingSchema } from './sampling-settings.js'
import type { Sampling } from './sampling.js'

/**
 * Checks that a value says which frames are wanted, and returns it.
 *
 * What `uniform` and the others make is right already; JavaScript and JSON can hand over anything.
 *
 * @throws {StreamError} `SETTING_INVALID`: another kind of value, an unknown `kind`, or a wrong number in it.
 */
export function checkSampling(value: unknown): Sampling {
  return checkSettings('sampling', samplingSchema, value)
}
