import { randomBytes } from 'node:crypto'

import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'

import type { KafkaCompression } from '../../src/delivery.js'
import { lazyCodec, registerCodecs } from '../../src/kafka/compression.js'
import { createClient } from '../../src/kafka/connection.js'
import { createRecordSender } from '../../src/kafka/record-sender.js'
import { openTransactionalProducer } from '../../src/kafka/transactional-producer.js'
import { describeWithKafka, kafkaBroker } from '../support/kafka.js'
import { client, createTopics, readTopic } from './harness.js'

const { CompressionCodecs, CompressionTypes } = kafkajs
const compressions = ['gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly KafkaCompression[]

/** What doesn't get smaller, and what gets very small and fills many blocks. */
const values = [randomBytes(100_000).toString('hex'), 'a frame and '.repeat(50_000), 'x']

interface ClientCodec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

describe('codecs', () => {
  registerCodecs()
  const types = [CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD] as const

  test.each(types.map((type) => [CompressionTypes[type], type] as const))('%s gives back what it took', async (_, type) => {
    const codec = CompressionCodecs[type]() as ClientCodec
    for (const text of ['', ...values]) {
      const packed = await codec.compress({ buffer: Buffer.from(text) })
      expect((await codec.decompress(packed)).toString()).toBe(text)
    }
    await expect(codec.decompress(Buffer.from('this was never packed'))).rejects.toThrow()
  })

  test('one that can’t be loaded says so, with the cause', async () => {
    const cause = new Error('no such package')
    const codec = lazyCodec('lz4', () => Promise.reject(cause))
    const missing = { code: 'KAFKA_CODEC_MISSING', canRetry: false, cause, message: expect.stringContaining('lz4') as unknown }
    // As the client passes it on: at once, and the cause of what it was given.
    const expected = { retriable: false, cause: missing }
    await expect(codec.compress({ buffer: Buffer.alloc(1) })).rejects.toMatchObject(expected)
    await expect(codec.decompress(Buffer.alloc(1))).rejects.toMatchObject(expected)
  })
})

describeWithKafka('compression, with Kafka’s own code at the other end', () => {
  const records = (topic: string, compression: KafkaCompression) =>
    values.map((value) => ({ topic, key: 'key', value, headers: {}, compression }))

  const readValues = async (topic: string) => {
    const read = await readTopic<string>(client(await kafkaBroker()), topic, (found) => found.length === values.length)
    return read.map(({ value }) => value)
  }

  async function topicWith(settings: Record<string, string>): Promise<string> {
    return (await createTopics(client(await kafkaBroker()), 1, settings)).input
  }

  async function send(topic: string, compression: KafkaCompression): Promise<void> {
    const sender = createRecordSender(createClient({ brokers: [await kafkaBroker()] }))
    await sender.send(records(topic, compression))
    await sender.close()
  }

  test.each(compressions)('%s: what we pack is unpacked by the broker', async (compression) => {
    // A broker that is to store plain records unpacks them with Java's codec.
    const topic = await topicWith({ 'compression.type': 'uncompressed' })
    await send(topic, compression)
    expect(await readValues(topic)).toEqual(values)
  })

  test.each(compressions)('%s: what the broker packs is unpacked by us', async (compression) => {
    const topic = await topicWith({ 'compression.type': compression })
    await send(topic, 'none')
    expect(await readValues(topic)).toEqual(values)
  })

  test.each([...compressions, 'none'] as const)('%s, in a transaction: only what is packed fits', async (compression) => {
    const kafka = createClient({ brokers: [await kafkaBroker()] })
    const topic = await topicWith({ 'compression.type': 'producer', 'max.message.bytes': '60000' })
    const producer = await openTransactionalProducer(kafka, {
      ...{ transactionalId: `id-${topic}`, groupId: `group-${topic}`, transactionTimeoutMs: 10_000 },
    })
    const value = 'a frame and '.repeat(50_000)
    const commit = producer.commit({ records: [{ topic, key: 'key', value, headers: {}, compression }] })
    if (compression === 'none') await expect(commit).rejects.toMatchObject({ code: 'KAFKA_TOO_LARGE', canRetry: false })
    else {
      await commit
      const [read] = await readTopic<string>(kafka, topic, ({ length }) => length === 1)
      expect(read?.value).toBe(value)
    }
    await producer.close()
  })
})
