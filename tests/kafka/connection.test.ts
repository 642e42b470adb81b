import { z } from 'zod'
import { describe, expect, test } from 'vitest'

import { clusterOf, connectionFields } from '../../src/kafka/connection-settings.js'
import type { KafkaConnection } from '../../src/kafka/connection-settings.js'
import { createClient } from '../../src/kafka/connection.js'
import { checkSettings } from '../../src/settings.js'

const schema = z.strictObject(connectionFields)
const brokers = ['127.0.0.1:9092']
const token = () => Promise.resolve('token')

/** The message of what a call throws. */
function complaintOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    expect(error).toMatchObject({ code: 'SETTING_INVALID' })
    return (error as Error).message
  }
  return 'nothing was thrown'
}

describe('settings', () => {
  test.each<[string, KafkaConnection]>([
    ['the least', { brokers }],
    ['addresses', { brokers: ['kafka-1.example.com:9092', '[::1]:9092'] }],
    ['TLS', { brokers, tls: true }],
    ['certificates', { brokers, tls: { caFile: 'ca.crt', certFile: 'a.crt', keyFile: 'a.key', passphrase: { env: 'PASSPHRASE' }, serverName: 'kafka' } }],
    ['a login', { brokers, sasl: { mechanism: 'scram-sha-512', username: 'alice', password: { env: 'PASSWORD' } } }],
    ['a token', { brokers, sasl: { mechanism: 'oauthbearer', token } }],
    ['times', { brokers, connectTimeoutMs: 1, requestTimeoutMs: 1, clientId: 'door' }],
  ])('%s', (_, connection) => {
    expect(checkSettings('kafka', schema, connection)).toEqual(connection)
  })

  test.each([
    ['brokers', { brokers: [] }],
    ['brokers[0]', { brokers: ['kafka'] }],
    ['brokers[0]', { brokers: ['kafka://alice:s3cret@host:9092'] }],
    ['tls.ca', { brokers, tls: { ca: 's3cret' } }],
    ['sasl.mechanism', { brokers, sasl: { mechanism: 's3cret' } }],
    ['sasl.password', { brokers, sasl: { mechanism: 'plain', username: 'alice', password: ['s3cret'] } }],
    ['sasl.token', { brokers, sasl: { mechanism: 'oauthbearer', token: 's3cret' } }],
    ['connectTimeoutMs', { brokers, connectTimeoutMs: 0 }],
    ['requestTimeoutMs', { brokers, requestTimeoutMs: 1.5 }],
  ])('a mistake in %s is named, and no value is shown', (path, connection) => {
    const complaint = complaintOf(() => checkSettings('kafka', schema, connection))
    expect(complaint).toContain(path.split('.').at(-1))
    expect(complaint).not.toContain('s3cret')
  })
})

describe('createClient', () => {
  test('names a variable that isn’t set', () => {
    const password = { env: 'TINYLLAVA_NO_SUCH_VARIABLE' }
    const complaint = complaintOf(() => createClient({ brokers, sasl: { mechanism: 'plain', username: 'alice', password } }))
    expect(complaint).toBe('`sasl.password`: the environment variable TINYLLAVA_NO_SUCH_VARIABLE isn\'t set.')
  })

  test.each(['caFile', 'certFile', 'keyFile'])('names a file that can’t be read: %s', (name) => {
    const complaint = complaintOf(() => createClient({ brokers, tls: { [name]: 'no-such.pem' } }))
    expect(complaint).toContain(`\`tls.${name}\`: no-such.pem`)
  })
})

test('a cluster is the same in whatever order its brokers are given', () => {
  expect(clusterOf({ brokers: ['b:1', 'a:1'] })).toBe(clusterOf({ brokers: ['a:1', 'b:1'] }))
  expect(clusterOf({ brokers: ['a:1'] })).not.toBe(clusterOf({ brokers: ['a:2'] }))
})
