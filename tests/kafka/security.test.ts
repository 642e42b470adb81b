import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { lastValueFrom } from 'rxjs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import type { KafkaConnection } from '../../src/kafka/connection-settings.js'
import { createClient } from '../../src/kafka/connection.js'
import { kafkaSink } from '../../src/sinks/kafka.js'
import { kafkaSource } from '../../src/sources/kafka.js'
import { createAnswer } from '../sinks/contract.js'
import { describeWithKafka, startBroker } from '../support/kafka.js'
import type { PrivateBroker } from '../support/kafka.js'
import { createTopics, readTopic } from './harness.js'

type Sasl = NonNullable<KafkaConnection['sasl']>

/** Writes an answer by a sink and reads it back. */
async function roundTrip(connection: KafkaConnection): Promise<void> {
  const kafka = createClient(connection)
  const { output: topic } = await createTopics(kafka, 1)
  const sink = kafkaSink({ ...connection, topic })
  await sink.open?.()
  await sink.write(createAnswer('Nobody.'))
  await sink.close?.()
  const [record] = await readTopic(kafka, topic, ({ length }) => length === 1)
  expect(record?.value).toMatchObject({ answer: 'Nobody.' })
}

/** What a sink and a source say of a login that is wrong. */
async function refusals(connection: KafkaConnection): Promise<readonly unknown[]> {
  const sink = kafkaSink({ ...connection, topic: 'answers' })
  const source = kafkaSource({ ...connection, topic: 'frames', groupId: 'group' })
  const errors = await Promise.allSettled([sink.open?.(), lastValueFrom(source.streams)])
  await sink.close?.()
  return errors.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as unknown) : 'nothing was refused'))
}

describeWithKafka('logins (SASL)', () => {
  const user = { username: 'alice', password: 'alice-secret' }
  let broker: PrivateBroker
  const connectionOf = (sasl: Sasl): KafkaConnection => ({ brokers: [broker.brokers], sasl })

  beforeAll(async () => {
    const login = (module: string, options: string): string => `org.apache.kafka.common.security.${module} required ${options};`
    const brokers = 'username="broker" password="broker-secret"'
    broker = await startBroker({
      // The one listener of the test broker, and the broker's own way to itself.
      'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.plaintext.plain.sasl.jaas.config': login(
        'plain.PlainLoginModule',
        `${brokers} user_broker="broker-secret" user_alice="alice-secret"`,
      ),
      'listener.name.plaintext.scram-sha-256.sasl.jaas.config': login('scram.ScramLoginModule', brokers),
      'listener.name.plaintext.scram-sha-512.sasl.jaas.config': login('scram.ScramLoginModule', brokers),
      // Takes unsigned tokens: Kafka's own way for tests.
      'listener.name.plaintext.oauthbearer.sasl.jaas.config': login(
        'oauthbearer.OAuthBearerLoginModule',
        'unsecuredLoginStringClaim_sub="broker"',
      ),
      'SCRAM-SHA-256': '[name=alice,password=alice-secret]',
      'SCRAM-SHA-512': '[name=alice,password=alice-secret]',
    })
  })
  afterAll(() => broker.stop())

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('%s', async (mechanism) => {
    await roundTrip(connectionOf({ mechanism, ...user }))
  })

  test('oauthbearer: the token is asked for', async () => {
    const token = vi.fn(() => Promise.resolve(unsignedToken('alice')))
    await roundTrip(connectionOf({ mechanism: 'oauthbearer', token }))
    expect(token).toHaveBeenCalled()
  })

  test('a secret from the environment', async () => {
    vi.stubEnv('KAFKA_TEST_PASSWORD', user.password)
    await roundTrip(connectionOf({ mechanism: 'scram-sha-512', username: user.username, password: { env: 'KAFKA_TEST_PASSWORD' } }))
    vi.unstubAllEnvs()
  })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('%s: a wrong password is told at once', async (mechanism) => {
    const errors = await refusals(connectionOf({ mechanism, username: 'alice', password: 'mistyped-secret' }))
    expect(errors).toMatchObject(errors.map(() => ({ code: 'KAFKA_UNAUTHORIZED', canRetry: false })))
    expect(inspect(errors, { depth: 10 })).not.toContain('mistyped')
  })

  test.each([
    ['is none', 'no-such-token'],
    ['has expired', unsignedToken('no-such-token', -7200)],
  ])('a token that %s is told at once', async (_, value) => {
    const token = () => Promise.resolve(value)
    const errors = await refusals(connectionOf({ mechanism: 'oauthbearer', token }))
    expect(errors).toMatchObject(errors.map(() => ({ code: 'KAFKA_UNAUTHORIZED', canRetry: false })))
    expect(inspect(errors, { depth: 10 })).not.toContain(value)
  })
})

/** A token that says who somebody is, signed by nobody. */
function unsignedToken(subject: string, shiftSeconds = 0): string {
  const now = Math.floor(Date.now() / 1000) + shiftSeconds
  const parts = [{ alg: 'none' }, { sub: subject, iat: now, exp: now + 3600 }]
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
}

describeWithKafka('TLS, with certificates at both ends', () => {
  let folder: string
  let broker: PrivateBroker
  const at = (name: string): string => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificates-'))
    await makeCertificates(folder)
    broker = await startBroker({
      'listener.security.protocol.map': 'PLAINTEXT:SSL,CONTROLLER:PLAINTEXT',
      'ssl.client.auth': 'required',
      ...{ 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': at('broker.pem') },
      ...{ 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': at('authority.crt') },
    })
  })
  afterAll(async () => {
    await broker.stop()
    await rm(folder, { recursive: true })
  })

  const identity = () => ({ caFile: at('authority.crt'), certFile: at('client.crt'), keyFile: at('client.key') })

  test('a client with a certificate', async () => {
    await roundTrip({ brokers: [broker.brokers], tls: identity() })
  })

  test('a key behind a passphrase', async () => {
    vi.stubEnv('KAFKA_TEST_PASSPHRASE', 'key-secret')
    const tls = { ...identity(), keyFile: at('locked.key'), passphrase: { env: 'KAFKA_TEST_PASSPHRASE' } }
    await roundTrip({ brokers: [broker.brokers], tls })
    vi.unstubAllEnvs()
  })

  test.each([
    ['no certificate', () => ({ caFile: at('authority.crt') })],
    ['no authority that knows the broker', () => true as const],
    ['another name than the broker’s', () => ({ ...identity(), serverName: 'elsewhere.example' })],
  ])('%s: no connection', async (_, tls) => {
    const sink = kafkaSink({ brokers: [broker.brokers], topic: 'answers', tls: tls() })
    await expect(sink.open?.()).rejects.toMatchObject({ code: 'KAFKA_FAILED' })
    await sink.close?.()
  })
})

/** An authority, and what it vouches for: a broker on 127.0.0.1 and a client. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }
  const request = ['req', '-newkey', 'rsa:2048', '-nodes', '-batch']
  openssl(...request, '-x509', '-keyout', 'authority.key', '-out', 'authority.crt', '-subj', '/CN=authority')
  for (const name of ['broker', 'client']) {
    openssl(...request, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost')
    const signing = ['-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial', '-extfile', 'names']
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.crt`)
  }
  openssl('pkcs8', '-topk8', '-in', 'client.key', '-out', 'locked.key', '-passout', 'pass:key-secret')
  const [key, certificate] = await Promise.all(['broker.key', 'broker.crt'].map((name) => readFile(join(folder, name), 'utf8')))
  await writeFile(join(folder, 'broker.pem'), `${key ?? ''}${certificate ?? ''}`)
}
