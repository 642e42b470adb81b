import { z } from 'zod'

import { checkSettings } from '../settings.js'
import type { Exactness } from './sampling.js'

/** Fields of a zod object: `Exactness`. */
export const exactnessFields = {
  keyframesOnly: z.boolean().exactOptional().describe('Takes keyframes only, near to the frames that are wanted.'),
}

const exactnessSchema = z.strictObject(exactnessFields)

/**
 * The part of a sampling's value that says which frames will do; empty where they have to be exact.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function exactnessOf(options: Exactness): Exactness {
  const { keyframesOnly = false } = checkSettings('sampling', exactnessSchema, options)
  return keyframesOnly ? { keyframesOnly } : {}
}
