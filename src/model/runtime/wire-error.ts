import { inspect } from 'node:util'
import { type ErrorCode, StreamError, asStreamError } from '../../errors.js'

/** A coded error in a form that crosses threads: a structured clone would lose its class and code. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  /** Text of the error's cause, with its stack where it has one. */
  readonly cause?: string
}

/** Packs an error for the other thread; one without a code becomes `MODEL_FAILED`. */
export function toWireError(error: unknown): WireError {
  const { code, message, cause } = asStreamError(error, 'MODEL_FAILED', 'The model failed')
  if (cause === undefined) return { code, message }
  return { code, message, cause: cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause) }
}

/** Unpacks an error from the other thread; its cause is an `Error` whose message is the cause's text. */
export function fromWireError({ code, message, cause }: WireError): StreamError {
  return new StreamError(code, message, cause === undefined ? {} : { cause: new Error(cause) })
}
