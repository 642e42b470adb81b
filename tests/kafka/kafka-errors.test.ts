import { expect, test } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { isPassing, kafkaError } from '../../src/kafka/kafka-errors.js'

/** As the client makes them: its types hide what the constructors take. */
const errorOf = (name: string, fields: object): Error => Object.assign(new Error('what it says'), { name, ...fields })
const protocolError = (type: string, retriable: boolean): Error => errorOf('KafkaJSProtocolError', { type, retriable })
const wrapped = (cause: unknown): Error => Object.assign(new Error('wrapped', { cause }), { name: 'KafkaJSNonRetriableError', retriable: false })

test.each([
  ['SASL_AUTHENTICATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['UNSUPPORTED_SASL_MECHANISM', 'KAFKA_UNAUTHORIZED'],
  ['TOPIC_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['GROUP_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['POLICY_VIOLATION', 'KAFKA_UNAUTHORIZED'],
  ['INVALID_TOPIC_EXCEPTION', 'SETTING_INVALID'],
  ['INCONSISTENT_GROUP_PROTOCOL', 'SETTING_INVALID'],
  ['MESSAGE_TOO_LARGE', 'KAFKA_TOO_LARGE'],
  ['RECORD_LIST_TOO_LARGE', 'KAFKA_TOO_LARGE'],
])('%s is %s, however deep it lies', (type, code) => {
  const error = wrapped(wrapped(protocolError(type, false)))
  expect(kafkaError('Nothing was sent', error)).toMatchObject({ code, canRetry: false, cause: error })
})

const LOOK = 'Should it come again, look into the log of the brokers.'

test('what the client says of many topics at once is looked through', () => {
  const errorsOf = (...errors: readonly Error[]): Error => errorOf('KafkaJSAggregateError', { errors })
  const other = protocolError('REQUEST_TIMED_OUT', true)
  const refused = errorsOf(other, protocolError('TOPIC_AUTHORIZATION_FAILED', false))
  expect(kafkaError('Nothing was made', wrapped(refused))).toMatchObject({ code: 'KAFKA_UNAUTHORIZED', canRetry: false })
  expect(kafkaError('Nothing was made', errorsOf(other))).toMatchObject({ code: 'KAFKA_FAILED', message: `Nothing was made: what it says. ${LOOK}` })
  expect(isPassing(errorsOf(other))).toBe(true)
})

test('brokers that are away: says what to look at', () => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' })
  expect(kafkaError('Nothing was sent', away).message).toBe('Nothing was sent: connect ECONNREFUSED. Check `brokers`, and that they run.')
})

test('whatever else may pass, and says what the client said', () => {
  const error = kafkaError('Nothing was sent', wrapped(protocolError('NOT_LEADER_FOR_PARTITION', true)))
  expect(error).toMatchObject({ code: 'KAFKA_FAILED', canRetry: true, message: `Nothing was sent: what it says. ${LOOK}` })
  expect(kafkaError('Nothing was sent', 'a text')).toMatchObject({ code: 'KAFKA_FAILED', message: `Nothing was sent: a text. ${LOOK}` })
})

test('ours stay as they are, also where the client has wrapped them', () => {
  const ours = new StreamError('KAFKA_CODEC_MISSING', 'No lz4 here.')
  expect(kafkaError('Nothing was sent', ours)).toBe(ours)
  expect(kafkaError('Nothing was sent', wrapped(ours))).toBe(ours)
})

test('a connection that breaks during the login is no refused login', () => {
  const login = (message: string): Error => errorOf('KafkaJSSASLAuthenticationError', { message, retriable: false })
  const refused = login('SASL PLAIN authentication failed: Authentication failed: Invalid username or password')
  expect(kafkaError('Nothing was sent', refused)).toMatchObject({ code: 'KAFKA_UNAUTHORIZED' })
  const timedOut = 'Request SaslAuthenticate(key: 36, version: 1) timed out'
  for (const reason of ['Closed connection', 'Connection error: read ECONNRESET', 'Connection timeout', timedOut]) {
    const broken = login(`SASL PLAIN authentication failed: ${reason}`)
    expect(kafkaError('Nothing was sent', broken)).toMatchObject({ code: 'KAFKA_FAILED', canRetry: true })
  }
})

test('the client’s own word on what passes is found behind what it wraps it in', () => {
  expect(isPassing(wrapped(protocolError('NOT_LEADER_FOR_PARTITION', true)))).toBe(true)
  expect(isPassing(wrapped(protocolError('OUT_OF_ORDER_SEQUENCE_NUMBER', false)))).toBe(false)
  expect(isPassing(new Error('something else'))).toBe(false)
})
