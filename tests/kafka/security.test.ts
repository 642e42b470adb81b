import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import kafkajs from 'kafkajs'
import { lastValueFrom } from 'rxjs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import type { KafkaConnection } from '../../src/kafka/connection-settings.js'
import { createClient } from '../../src/kafka/connection.js'
import { createRecordSender } from '../../src/kafka/record-sender.js'
import { openTopics } from '../../src/kafka/topics.js'
import type { Topics } from '../../src/kafka/topics.js'
import { openTransactionalProducer } from '../../src/kafka/transactional-producer.js'
import { kafkaSink } from '../../src/sinks/kafka.js'
import { kafkaSource } from '../../src/sources/kafka.js'
import { createAnswer } from '../sinks/contract.js'
import { describeWithKafka, startBroker } from '../support/kafka.js'
import type { PrivateBroker } from '../support/kafka.js'
import { createTopics, readTopic } from './harness.js'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

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

describeWithKafka('permissions (ACL), where topics make themselves', () => {
  let broker: PrivateBroker
  const clientOf = (username: string) =>
    createClient({ brokers: [broker.brokers], sasl: { mechanism: 'plain', username, password: `${username}-secret` } })

  beforeAll(async () => {
    const users = ['broker', 'alice'].map((name) => `user_${name}="${name}-secret"`).join(' ')
    broker = await startBroker({
      ...{ 'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT', 'auto.create.topics.enable': 'true' },
      ...{ 'sasl.enabled.mechanisms': 'PLAIN', 'sasl.mechanism.inter.broker.protocol': 'PLAIN' },
      'listener.name.plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="broker-secret" ${users};`,
      // The controller's listener asks nobody for a name.
      ...{ 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:broker;User:ANONYMOUS' },
    })
  })
  afterAll(() => broker.stop())

  /** Lets alice read and write a topic, and nothing beyond. */
  async function allow(topic: string): Promise<void> {
    const admin = clientOf('broker').admin()
    await admin.connect()
    const rule = { resourceType: AclResourceTypes.TOPIC, resourceName: topic, resourcePatternType: ResourcePatternTypes.LITERAL }
    const permission = { principal: 'User:alice', host: '*', permissionType: AclPermissionTypes.ALLOW }
    const operations = [AclOperationTypes.READ, AclOperationTypes.WRITE]
    await admin.createAcls({ acl: operations.map((operation) => ({ ...rule, ...permission, operation })) })
    await admin.disconnect()
  }

  async function withTopics<T>(username: string, work: (topics: Topics) => Promise<T>): Promise<T> {
    const topics = await openTopics(clientOf(username))
    return work(topics).finally(() => topics.close())
  }

  test('a state topic that is there is used by those who may make none', async () => {
    await withTopics('broker', (topics) => topics.ensureCompacted('state', 2))
    await allow('state')
    await withTopics('alice', async (topics) => {
      await topics.ensureCompacted('state', 2)
      expect(await topics.partitionsOf('state')).toBe(2)
    })
  })

  test('whoever may make no topic is told so, for good', async () => {
    await withTopics('alice', async (topics) => {
      const refused = { code: 'KAFKA_UNAUTHORIZED', canRetry: false }
      await expect(topics.ensureCompacted('not-there', 1)).rejects.toMatchObject(refused)
      // One that is there, but that she may not see.
      await withTopics('broker', (others) => others.ensureCompacted('hidden', 1))
      await expect(topics.ensureCompacted('hidden', 1)).rejects.toMatchObject(refused)
    })
  })

  test('what is written to a topic that isn’t there doesn’t make it', async () => {
    const kafka = clientOf('broker')
    const record = { topic: 'mistyped', key: 'key', value: 'a value', headers: {} }
    const producer = await openTransactionalProducer(kafka, { transactionalId: 'id', groupId: 'group', transactionTimeoutMs: 10_000 })
    await expect(producer.commit({ records: [record] })).rejects.toMatchObject({ code: 'KAFKA_FAILED' })
    await producer.close()
    const sender = createRecordSender(kafka)
    await expect(sender.send([record])).rejects.toMatchObject({ code: 'KAFKA_TOPIC_UNKNOWN' })
    await sender.close()
    await withTopics('broker', async (topics) => {
      await expect(topics.partitionsOf('mistyped')).rejects.toMatchObject({ code: 'KAFKA_TOPIC_UNKNOWN' })
    })
  })
})

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
