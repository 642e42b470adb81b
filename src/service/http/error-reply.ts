import { StreamError } from '../../errors.js'
import type { ErrorCode } from '../../errors.js'
import { redactUrl } from '../../sources/redact.js'

/** How an error is told to a client. */
export interface ErrorReply {
  readonly status: number
  readonly body: { readonly error: { readonly code: ErrorCode | 'UNEXPECTED'; readonly message: string } }
}

/** The status of what a request can meet; any other code is the service's own fault. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  SETTING_INVALID: 400,
  PART_UNKNOWN: 400,
  HTTP_REQUEST_INVALID: 400,
  HTTP_UNAUTHORIZED: 401,
  HTTP_FORBIDDEN: 403,
  ADDRESS_NOT_ALLOWED: 403,
  HTTP_NOT_FOUND: 404,
  SOURCE_UNKNOWN: 404,
  PIPELINE_INVALID: 409,
  HTTP_TOO_LARGE: 413,
  HTTP_MEDIA_TYPE: 415,
  ABORTED: 503,
  HTTP_BUSY: 503,
}

/** What the server itself refuses, before a route sees it. */
const SERVER_REFUSALS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  400: ['HTTP_REQUEST_INVALID', 'The request can’t be read: is its body JSON, and its address written right?'],
  413: ['HTTP_TOO_LARGE', 'The body is too large.'],
  415: ['HTTP_MEDIA_TYPE', 'Send `Content-Type: application/json`.'],
}

/** Says an error with its code and status; one that nobody expected without a word of its own. */
export function errorReply(thrown: unknown): ErrorReply {
  const error = thrown instanceof StreamError ? thrown : refusalOf(thrown)
  if (error === undefined) return reply(500, 'UNEXPECTED', 'Something went wrong that nobody expected: see the log.')
  return reply(STATUS[error.code] ?? 500, error.code, error.message)
}

function refusalOf(thrown: unknown): StreamError | undefined {
  const status: unknown = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined
  const refusal = typeof status === 'number' ? SERVER_REFUSALS[status] : undefined
  return refusal === undefined ? undefined : new StreamError(...refusal)
}

function reply(status: number, code: ErrorCode | 'UNEXPECTED', message: string): ErrorReply {
  return { status, body: { error: { code, message: redactUrl(message) } } }
}
