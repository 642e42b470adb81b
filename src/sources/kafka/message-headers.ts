import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { MESSAGE_HEADERS } from '../../message-headers.js'
import type { TraceCarrier } from '../../origin.js'
import { samplingSchema } from '../../sampling/sampling-settings.js'
import { describeMistakes } from '../../settings.js'
import { PIXEL_KINDS, type PixelKind } from '../../types.js'
import { questionsSchema, streamIdSchema } from './message-schema.js'
import { redactUrl } from '../redact.js'

/** A text in UTF-8; undefined where the bytes are none. */
export function textOf(bytes: Uint8Array | string): string | undefined {
  if (typeof bytes === 'string') return bytes
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** JSON in a text; undefined where it is none. What the parser says of it would show the value. */
export function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error for a message whose header or field is wrong. */
export function invalidMessage(where: string, mistake: string): StreamError {
  // Unknown fields are named, and can be any number of any length.
  const text = mistake.length > 500 ? `${mistake.slice(0, 500)}…` : mistake
  return new StreamError('MESSAGE_INVALID', `${where}: ${text}.`)
}

/**
 * Checks a part of a message by its schema.
 *
 * @param where What messages call the part.
 * @throws {StreamError} `MESSAGE_INVALID`, naming every mistake and showing no value.
 */
export function checkPart<Value>(schema: z.ZodType<Value>, value: unknown, where: string): Value {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  throw invalidMessage(where, describeMistakes(checked.error))
}

const ptsSchema = z
  .string()
  .regex(/^\d{1,15}(?:\.\d{1,3})?$/, 'expected milliseconds with at most three decimals')
  .transform(Number)
const countSchema = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number from 0 on')
  .transform(Number)
const timeSchema = z.iso.datetime({ offset: true, error: 'expected a time such as `2026-01-31T12:00:00.000Z`' })
const pixelKindSchema = z.enum(PIXEL_KINDS)
const traceparentSchema = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)

/** What a message says of its picture: when it was taken, where it stands in its stream, and what it is to a model. */
export interface FrameFacts {
  /** Media time; that of the message itself (milliseconds since 1970) where no header tells it. */
  readonly ptsMs: number
  /** ISO 8601. */
  readonly capturedAt?: string
  /** The run of the stream, as whoever sampled it counts them. */
  readonly epoch?: number
  /** The place in its stream, as whoever sampled it counts them. */
  readonly frameIndex?: number
  readonly pixelKind?: PixelKind
}

/** The headers of one message, and what they say. Each reader throws `MESSAGE_INVALID`, naming the header. */
export class MessageHeaders {
  readonly #values: ReadonlyMap<string, Uint8Array | string>
  readonly #where: string

  /** @param where What messages call the message. */
  constructor(headers: Iterable<readonly [string, Uint8Array | string]>, where: string) {
    this.#values = new Map(Array.from(headers, ([name, value]) => [name.toLowerCase(), value]))
    this.#where = where
  }

  /** A header's text; undefined where there is no such header. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)
    if (value === undefined) return undefined
    const text = textOf(value)
    if (text === undefined) throw invalidMessage(this.#where, `header \`${name}\`: expected text in UTF-8`)
    return text
  }

  /** The stream the message names by a header. */
  streamId(): string | undefined {
    const id = this.text(MESSAGE_HEADERS.streamId)
    return id === undefined ? undefined : this.checkStreamId(`header \`${MESSAGE_HEADERS.streamId}\``, id)
  }

  /** Checks a stream's id, without the login of an address that somebody uses as one. */
  checkStreamId(what: string, id: string): string {
    return redactUrl(this.#check(what, { schema: streamIdSchema, value: id }))
  }

  questions(): { readonly questions?: readonly string[] } {
    const questions = this.#readJson(MESSAGE_HEADERS.questions, questionsSchema)
    return questions === undefined ? {} : { questions }
  }

  sampling(): { readonly sampling?: z.infer<typeof samplingSchema> } {
    const sampling = this.#readJson(MESSAGE_HEADERS.sampling, samplingSchema)
    return sampling === undefined ? {} : { sampling }
  }

  /** What is said of a picture. */
  frame(timestamp: bigint): FrameFacts {
    const ptsMs = this.#read(MESSAGE_HEADERS.ptsMs, ptsSchema) ?? Number(timestamp)
    // Brokers say -1 for "none".
    if (ptsMs < 0) throw invalidMessage(this.#where, 'header `pts-ms`: expected one, as the message has no time')
    const capturedAt = this.#read(MESSAGE_HEADERS.capturedAt, timeSchema)
    const epoch = this.#read(MESSAGE_HEADERS.epoch, countSchema)
    const frameIndex = this.#read(MESSAGE_HEADERS.frameIndex, countSchema)
    const pixelKind = this.#read(MESSAGE_HEADERS.pixelKind, pixelKindSchema)
    return {
      ptsMs,
      ...(capturedAt !== undefined && { capturedAt }),
      ...(epoch !== undefined && { epoch }),
      ...(frameIndex !== undefined && { frameIndex }),
      ...(pixelKind !== undefined && { pixelKind }),
    }
  }

  /** The trace the message belongs to. A malformed one is none, as W3C has it: traces never stop the work. */
  trace(): { readonly trace?: TraceCarrier } {
    const traceparent = this.#plain(MESSAGE_HEADERS.traceparent)
    if (!traceparentSchema.safeParse(traceparent).success || traceparent === undefined) return {}
    const tracestate = this.#plain(MESSAGE_HEADERS.tracestate)
    const hasState = tracestate !== undefined && tracestate.length <= 512
    return { trace: { traceparent, ...(hasState && { tracestate }) } }
  }

  #plain(name: string): string | undefined {
    const value = this.#values.get(name)
    return value === undefined ? undefined : textOf(value)
  }

  #read<Value>(name: string, schema: z.ZodType<Value>): Value | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : this.#check(`header \`${name}\``, { schema, value: text.trim() })
  }

  #readJson<Value>(name: string, schema: z.ZodType<Value>): Value | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : this.#check(`header \`${name}\``, { schema, value: jsonOf(text) })
  }

  #check<Value>(what: string, { schema, value }: { schema: z.ZodType<Value>; value: unknown }): Value {
    return checkPart(schema, value, `${this.#where}: ${what}`)
  }
}
