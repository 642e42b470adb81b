import { StreamError } from '../errors.js'
import type { ErrorCode } from '../errors.js'

/** What nobody but the cluster's operators can change, by the client's name for it: code, and what to do. */
const PERMANENT: Readonly<Record<string, readonly [code: ErrorCode, advice: string]>> = {
  KafkaJSSASLAuthenticationError: ['KAFKA_UNAUTHORIZED', 'the login was refused. Check `sasl`'],
  SASL_AUTHENTICATION_FAILED: ['KAFKA_UNAUTHORIZED', 'the login was refused. Check `sasl`'],
  UNSUPPORTED_SASL_MECHANISM: ['KAFKA_UNAUTHORIZED', 'the brokers know no such login. Check `sasl.mechanism`'],
  TOPIC_AUTHORIZATION_FAILED: ['KAFKA_UNAUTHORIZED', 'this user may not use the topic'],
  GROUP_AUTHORIZATION_FAILED: ['KAFKA_UNAUTHORIZED', 'this user may not use the consumer group'],
  CLUSTER_AUTHORIZATION_FAILED: ['KAFKA_UNAUTHORIZED', 'this user may not do this on the cluster'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ['KAFKA_UNAUTHORIZED', 'this user may not use the transactional id'],
  POLICY_VIOLATION: ['KAFKA_UNAUTHORIZED', "the cluster's own policy forbids it. Have its operators make the topic"],
  INVALID_TOPIC_EXCEPTION: ['SETTING_INVALID', 'no topic can have this name. Use letters, digits, `.`, `_` and `-`'],
  INCONSISTENT_GROUP_PROTOCOL: [
    'SETTING_INVALID',
    'other members of the group read other topics, or are no sources of this kind. Use another `groupId`',
  ],
  MESSAGE_TOO_LARGE: ['KAFKA_TOO_LARGE', 'a record is larger than its topic allows. Raise `max.message.bytes` there'],
  RECORD_LIST_TOO_LARGE: ['KAFKA_TOO_LARGE', 'records are larger than their topic allows. Raise `max.message.bytes` there'],
}

/**
 * The coded error of what the client met.
 *
 * @param what What could not be done, without a full stop.
 */
export function kafkaError(what: string, error: unknown): StreamError {
  for (const cause of causesOf(error)) {
    // One of ours that came through the client, e.g. from a codec.
    if (cause instanceof StreamError) return cause
    const [code, advice] = PERMANENT[cause.type ?? ''] ?? PERMANENT[cause.name] ?? []
    if (code !== undefined && !isLostLogin(cause)) return new StreamError(code, `${what}: ${advice}.`, { cause: error })
  }
  const detail = (causesOf(error).at(-1)?.message ?? String(error)).replace(/[.!]$/, '')
  const isAway = causesOf(error).some(({ name }) => name === 'KafkaJSConnectionError')
  const advice = isAway ? 'Check `brokers`, and that they run' : 'Should it come again, look into the log of the brokers'
  return new StreamError('KAFKA_FAILED', `${what}: ${detail}. ${advice}.`, { cause: error })
}

/** The client takes a connection that breaks during the login for a login that is refused. */
function isLostLogin({ name, message }: Error): boolean {
  const isLost = /connection (error|timeout|closed)|closed connection|failed to connect|not connected|timed out/i
  return name === 'KafkaJSSASLAuthenticationError' && isLost.test(message)
}

/** Whether the client itself expects that the very same request may succeed later, however often it has tried by now. */
export function isPassing(error: unknown): boolean {
  return causesOf(error).some(({ retriable }) => retriable === true)
}

/** An error and those that led to it, the last one first. `type` is what the protocol calls it. */
function causesOf(error: unknown): readonly (Error & { readonly type?: string; readonly retriable?: boolean })[] {
  return error instanceof Error ? [error, ...[error.cause, ...partsOf(error)].flatMap(causesOf)] : []
}

/** The errors of topics that were asked about at once. */
function partsOf(error: Error & { readonly errors?: unknown }): readonly unknown[] {
  return Array.isArray(error.errors) ? (error.errors as readonly unknown[]) : []
}
