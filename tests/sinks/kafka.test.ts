import { describe, expect, test, vi } from 'vitest'

import { ENVELOPE_SCHEMA } from '../../src/envelope.js'
import type { Result } from '../../src/envelope.js'
import { withOrigin } from '../../src/origin.js'
import { kafkaSink } from '../../src/sinks/kafka.js'
import { client, createTopics, readTopic } from '../kafka/harness.js'
import type { ReadTopicRecord } from '../kafka/harness.js'
import { describeWithKafka, kafkaBroker, startBroker } from '../support/kafka.js'
import { createAnswer, runSinkContract } from './contract.js'

/** Everything in a topic that has one partition. */
async function readAll(brokers: string, topic: string): Promise<readonly ReadTopicRecord[]> {
  const kafka = client(brokers)
  const admin = kafka.admin()
  await admin.connect()
  const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  return await readTopic<Result>(kafka, topic, ({ length }) => length === Number(high))
}

/** Resolves once the broker knows no such topic any more. */
async function deleteTopic(brokers: string, topic: string): Promise<void> {
  const admin = client(brokers).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await vi.waitUntil(async () => !(await admin.listTopics()).includes(topic), { timeout: 60_000, interval: 5 })
  await admin.disconnect()
}

const answerText = ({ value }: ReadTopicRecord): string => (value.kind === 'answer' ? value.answer : value.kind)

describeWithKafka('the contract of sinks', () => {
  runSinkContract(async () => {
    const brokers = await kafkaBroker()
    const { output: topic } = await createTopics(client(brokers), 1)
    return {
      sink: kafkaSink({ brokers: [brokers], topic }),
      delivered: async () => (await readAll(brokers, topic)).map(answerText),
      breakIt: () => deleteTopic(brokers, topic),
    }
  })
})

describeWithKafka('kafkaSink', () => {
  const { schema, id, pipeline, source, clip, question, model, degraded } = createAnswer('')
  const shared = { schema, id, pipeline, source, clip, question, model, degraded }
  const since = { epoch: 0, ptsMs: 500, capturedAt: null }
  const error: Result = { ...shared, kind: 'error', error: { code: 'MODEL_FAILED', message: 'It failed.' } }
  const alert: Result = { ...shared, kind: 'alert', alert: { name: 'door', state: 'raised', since, answerId: id, answer: 'Yes.' } }

  test('key and headers say whose it is, and which trace it belongs to', async () => {
    const brokers = await kafkaBroker()
    const { output: topic } = await createTopics(client(brokers), 1)
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' }
    const plain = createAnswer('Nobody.')
    const sink = kafkaSink({ brokers: [brokers], topic })
    await sink.open?.()
    await sink.write(withOrigin(plain, { trace }))
    await sink.write(plain)
    await sink.close?.()
    const [traced, untraced] = await readAll(brokers, topic)
    const headers = { schema: ENVELOPE_SCHEMA, 'answer-id': plain.id, kind: 'answer', 'content-type': 'application/json' }
    expect(traced).toMatchObject({ key: 'clip', value: plain })
    expect(traced?.headers).toEqual({ ...headers, ...trace })
    expect(untraced?.headers).toEqual(headers)
  })

  test('errors and alerts go to topics of their own, or with the answers', async () => {
    const brokers = await kafkaBroker()
    const { output: topic, dead: errorsTopic, input: alertsTopic } = await createTopics(client(brokers), 1)
    for (const options of [{ topic, errorsTopic, alertsTopic }, { topic }]) {
      const sink = kafkaSink({ brokers: [brokers], ...options })
      await sink.open?.()
      for (const result of [createAnswer('Nobody.'), error, alert]) await sink.write(result)
      await sink.close?.()
    }
    expect((await readAll(brokers, topic)).map(answerText)).toEqual(['Nobody.', 'Nobody.', 'error', 'alert'])
    expect((await readAll(brokers, errorsTopic)).map(({ value }) => value)).toEqual([error])
    expect((await readAll(brokers, alertsTopic)).map(({ value }) => value)).toEqual([alert])
  })

  test.each(['errorsTopic', 'alertsTopic', 'topic'])('`open` looks for every topic: %s', async (name) => {
    const brokers = await kafkaBroker()
    const { output: topic } = await createTopics(client(brokers), 1)
    const sink = kafkaSink({ brokers: [brokers], topic, [name]: `${topic}-not-there` })
    await expect(sink.open?.()).rejects.toMatchObject({ code: 'KAFKA_TOPIC_UNKNOWN' })
    await sink.close?.()
  })

  test('compression: what fits only packed, fits', async () => {
    const brokers = await kafkaBroker()
    const text = 'Nobody. '.repeat(50_000)
    for (const compression of ['lz4', 'none'] as const) {
      const { input: topic } = await createTopics(client(brokers), 1, { 'max.message.bytes': '60000' })
      const sink = kafkaSink({ brokers: [brokers], topic, compression })
      expect(sink.records?.(createAnswer(text))).toMatchObject([{ compression }])
      await sink.open?.()
      const writing = sink.write(createAnswer(text))
      if (compression === 'lz4') await writing
      else await expect(writing).rejects.toMatchObject({ code: 'SINK_FAILED', cause: { code: 'KAFKA_TOO_LARGE' } })
      await sink.close?.()
    }
  })

  test('a broker that comes back finds each result once, in order', async () => {
    const broker = await startBroker()
    try {
      const { output: topic } = await createTopics(client(broker.brokers), 1)
      const sink = kafkaSink({ brokers: [broker.brokers], topic })
      await sink.open?.()
      const texts = Array.from({ length: 40 }, (_, index) => String(index))
      for (const [index, text] of texts.entries()) {
        const writing = sink.write(createAnswer(text))
        if (index === 15) await broker.kill()
        if (index === 30) void broker.kill()
        if (index === 15 || index === 30) await broker.restart()
        await writing
      }
      await sink.close?.()
      expect((await readAll(broker.brokers, topic)).map(answerText)).toEqual(texts)
    } finally {
      await broker.stop()
    }
  })
})

describe('settings', () => {
  test('every mistake is named, and no secret is shown', () => {
    const sasl = { mechanism: 'plain', username: 'alice', password: 's3cret', extra: 1 }
    const options = { brokers: ['nowhere'], topic: 'a topic', errorsTopic: '', alertsTopic: 'ä', compression: 'best', sasl }
    let message = ''
    try {
      kafkaSink(options as never)
    } catch (error) {
      expect(error).toMatchObject({ code: 'SETTING_INVALID' })
      message = (error as Error).message
    }
    for (const path of ['brokers[0]', 'topic', 'errorsTopic', 'alertsTopic', 'compression', 'sasl']) expect(message).toContain(`\`${path}\``)
    expect(message).not.toContain('s3cret')
  })

  test('it isn’t written to before `open`', async () => {
    const sink = kafkaSink({ brokers: ['127.0.0.1:1'], topic: 'answers' })
    await expect(sink.write(createAnswer('lost'))).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })
})
