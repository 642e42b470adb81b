import { z } from 'zod'

import { indicesSchema } from './at-indices.js'
import { exactnessFields } from './exactness.js'

const allSchema = z.strictObject({ kind: z.literal('all'), ...exactnessFields })
const fpsSchema = z.strictObject({ kind: z.literal('fps'), fps: z.number().positive(), ...exactnessFields })

/** A `Sampling` as JSON: in messages, in settings, over HTTP. */
export const samplingSchema = z
  .discriminatedUnion('kind', [
    allSchema,
    fpsSchema,
    z.strictObject({ kind: z.literal('uniform'), frames: z.int().min(1), ...exactnessFields }),
    z.strictObject({ kind: z.literal('uniform-per-second'), maxFrames: z.int().min(1), ...exactnessFields }),
    z.strictObject({ kind: z.literal('indices'), indices: indicesSchema, ...exactnessFields }),
  ])
  .describe('Which frames are wanted: all; so many a second of media time; so many spread evenly; one a second; those at these places.')

/** A `Sampling` that needs no end to spread frames up to. */
export const liveSamplingSchema = z
  .discriminatedUnion('kind', [allSchema, fpsSchema])
  .describe('Which frames are wanted: all; so many a second of media time.')
