import { z } from 'zod'

import { liveSamplingSchema, samplingSchema } from '../../sampling/sampling-settings.js'

/** A day: a camera that is to be watched longer is a source of its own. */
const MAX_DURATION_MS = 3_600_000

/** The name of a stream: a line of text. */
export const streamIdSchema = z
  .string()
  .max(256)
  .regex(/\S/, 'expected a name')
  .refine((id) => !/\p{Cc}/u.test(id), 'expected no control characters')
  .describe("The stream the video belongs to; part of every answer's id.")

/** Questions that override the pipeline's. */
export const questionsSchema = z
  .array(z.string().regex(/\S/, 'expected a question').max(4000))
  .min(1)
  .max(64)
  .describe("Questions about this video; they override the pipeline's.")

const shared = { streamId: streamIdSchema, questions: questionsSchema.exactOptional() }
const address = (pattern: RegExp) => z.string().max(4096).regex(pattern, 'expected an address with its scheme')

/** A reference to a video file. Unknown fields are refused: a misspelt one would change the answers in silence. */
export const videoReferenceSchema = z
  .strictObject({
    uri: address(/^(?![rR][tT][sS][pP][sS]?:)[A-Za-z][A-Za-z0-9+.-]*:.+$/).describe('A `file`, `http` or `https` address.'),
    ...shared,
    sampling: samplingSchema.exactOptional(),
  })
  .describe('A video file, read whole.')

/** A reference to a live camera. */
export const liveReferenceSchema = z
  .strictObject({
    uri: address(/^[rR][tT][sS][pP][sS]?:.+$/).describe('An `rtsp` or `rtsps` address.'),
    ...shared,
    sampling: liveSamplingSchema.exactOptional(),
    durationMs: z
      .number()
      .positive()
      .max(MAX_DURATION_MS)
      .describe('How long it is watched, in milliseconds: it has no end of its own.'),
  })
  .describe('A camera, watched for a while.')

/** What a message of type `application/json` holds. */
export const referenceSchema = z.union([videoReferenceSchema, liveReferenceSchema])

/** The JSON Schema of references, published as `schema/message.schema.json`. */
export function messageJsonSchema(): unknown {
  return z.toJSONSchema(referenceSchema, { target: 'draft-2020-12', io: 'input' })
}
