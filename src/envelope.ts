import { createHash } from 'node:crypto'

import { z } from 'zod'

/** Version of the envelope. Additive changes only within a major version. */
export const ENVELOPE_SCHEMA = 'tinyllava-stream/answer/1'

const milliseconds = z.number().describe('Milliseconds; at most microsecond resolution.')

const clipSchema = z.object({
  startMs: milliseconds.describe('Media time of the first frame, in milliseconds.'),
  endMs: milliseconds.describe('Media time of the last frame, in milliseconds.'),
  frames: z
    .array(z.object({ index: z.int().min(0), ptsMs: milliseconds }))
    .min(1)
    .describe('The frames that were looked at: place in the stream, counted from 0, and media time.'),
  capturedAt: z.string().nullable().describe('When the last frame was taken (ISO 8601); null where not known.'),
  coverage: z.number().min(0).max(1).describe('Share of the wanted frames or media that could be had.'),
})

const modelSchema = z.object({
  name: z.string(),
  digest: z.string().describe('Digest of the bundle: the same digest gives the same answers.'),
  precision: z.string(),
  device: z.string(),
})

const resultIdText = z.string().regex(/^[0-9a-f]{64}$/)

const shared = {
  schema: z.literal(ENVELOPE_SCHEMA),
  id: resultIdText.describe('A pure function of what was asked of what: a replay gives the same id.'),
  pipeline: z.string(),
  source: z.object({
    id: z.string().describe('The stream; never an address with credentials.'),
    kind: z.string(),
    epoch: z.int().min(0),
  }),
  clip: clipSchema,
  question: z.string(),
  rounds: z
    .array(z.object({ question: z.string(), answer: z.string() }))
    .optional()
    .describe('Earlier rounds of the conversation, in order; left out where the question was asked by itself.'),
  model: modelSchema,
  degraded: z.array(z.string()).describe('Plain sentences: what was missing or repaired on the way to this result.'),
}

/** The zod schema of an answer. */
export const answerSchema = z.object({
  kind: z.literal('answer'),
  ...shared,
  answer: z.string(),
  finishReason: z.enum(['stop', 'length']),
  tokens: z.object({ visual: z.int().min(0), prompt: z.int().min(0), answer: z.int().min(0) }),
  timingsMs: z
    .object({ encode: z.number(), connect: z.number(), prefill: z.number(), decode: z.number() })
    .describe('Milliseconds spent in each stage. `encode` adds up the frames of the clip and counts their waiting for the model, too.'),
  answerAfterLastFrameMs: z
    .number()
    .min(0)
    .describe('Milliseconds from the moment the last frame of the clip came to be encoded to this answer: what is left after a window.'),
})

/** The zod schema of a question that could not be answered. */
export const errorResultSchema = z.object({
  kind: z.literal('error'),
  ...shared,
  error: z.object({ code: z.string(), message: z.string() }),
})

/** The zod schema of an alert: `clip`, `question` and `model` are those of the answer that decided it. */
export const alertResultSchema = z.object({
  kind: z.literal('alert'),
  ...shared,
  alert: z.object({
    name: z.string(),
    state: z.enum(['raised', 'cleared']).describe('`raised` comes again, with the same `since`, as a heartbeat.'),
    since: z
      .object({ epoch: z.int().min(0), ptsMs: milliseconds, capturedAt: z.string().nullable() })
      .describe('The end of the first clip of which the state was true without a break.'),
    answerId: resultIdText.describe('Id of the answer that decided it.'),
    answer: z.string(),
  }),
})

/** The zod schema of everything a sink is handed. More kinds may come: ignore those you don't know. */
export const resultSchema = z.discriminatedUnion('kind', [answerSchema, errorResultSchema, alertResultSchema])

/** An answer with all that explains it. */
export type Answer = z.infer<typeof answerSchema>
/** A question that could not be answered, with the reason. */
export type ErrorResult = z.infer<typeof errorResultSchema>
/** A condition on answers that began or ceased to be true. */
export type AlertResult = z.infer<typeof alertResultSchema>
/** What became of a question. */
export type QuestionResult = Answer | ErrorResult
/** Everything a sink is handed, told apart by `kind`. */
export type Result = z.infer<typeof resultSchema>

/** What a result's id is made of. */
export interface ResultIdentity {
  readonly streamId: string
  readonly epoch: number
  /** Media times of the clip's frames, in milliseconds. */
  readonly framesPtsMs: readonly number[]
  readonly question: string
  readonly template: string
  readonly generation: {
    readonly maxNewTokens: number
    readonly temperature: number
    readonly topP: number
    readonly seed: number
  }
  readonly bundleDigest: string
  /** Earlier rounds of the conversation. @default none */
  readonly rounds?: readonly { readonly question: string; readonly answer: string }[]
}

/**
 * The id of a result: sha256 of canonical JSON (keys sorted, times as integer microseconds).
 *
 * Where generation is greedy, `topP` and `seed` have no part in the answer and so none in the id.
 *
 * @returns 64 hexadecimal digits.
 */
export function resultId(identity: ResultIdentity): string {
  const { maxNewTokens, temperature, topP, seed } = identity.generation
  const { rounds = [] } = identity
  const canonical = JSON.stringify({
    bundleDigest: identity.bundleDigest,
    epoch: identity.epoch,
    framesPtsUs: identity.framesPtsMs.map((ptsMs) => Math.round(ptsMs * 1000)),
    generation: temperature === 0 ? { maxNewTokens, temperature } : { maxNewTokens, seed, temperature, topP },
    question: identity.question,
    ...(rounds.length > 0 && { rounds: rounds.map(({ question, answer }) => [question, answer]) }),
    streamId: identity.streamId,
    template: identity.template,
  })
  return sha256(canonical)
}

/** What an alert's id is made of. */
export interface AlertIdentity {
  /** Id of the answer that decided it. */
  readonly answerId: string
  readonly name: string
  readonly state: AlertResult['alert']['state']
}

/**
 * The id of an alert: sha256 of canonical JSON, as a result's.
 *
 * @returns 64 hexadecimal digits.
 */
export function alertId({ answerId, name, state }: AlertIdentity): string {
  return sha256(JSON.stringify({ answerId, name, state }))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * The JSON Schema of `Result`, published as `schema/answer.schema.json`.
 *
 * Properties that it doesn't know are allowed: a later version may add some.
 */
export function resultJsonSchema(): unknown {
  return z.toJSONSchema(resultSchema, { target: 'draft-2020-12', io: 'input' })
}
