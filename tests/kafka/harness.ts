import { randomUUID } from 'node:crypto'

import { Kafka, logLevel } from 'kafkajs'
import type { IHeaders, Producer } from 'kafkajs'
import sharp from 'sharp'

import type { Result } from '../../src/envelope.js'
import { mendReadCommitted } from '../../src/kafka/aborted-transactions.js'

/** A client of the test's own. */
export function client(brokers: string): Kafka {
  mendReadCommitted()
  return new Kafka({ brokers: [brokers], clientId: 'test', logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 1000 } })
}

/** Topics of one test. */
export interface Topics {
  readonly input: string
  readonly output: string
  readonly dead: string
  readonly group: string
}

export async function createTopics(kafka: Kafka, partitions: number, settings: Record<string, string> = {}): Promise<Topics> {
  const name = randomUUID().slice(0, 8)
  const topics = { input: `in-${name}`, output: `out-${name}`, dead: `dead-${name}`, group: `group-${name}` }
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      { topic: topics.input, numPartitions: partitions, configEntries },
      { topic: topics.output, numPartitions: 1 },
      { topic: topics.dead, numPartitions: 1 },
    ],
  })
  await admin.disconnect()
  return topics
}

export async function withProducer<T>(kafka: Kafka, work: (producer: Producer) => Promise<T>): Promise<T> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    return await work(producer)
  } finally {
    await producer.disconnect()
  }
}

let picture: Promise<Buffer> | undefined

/** A small JPEG. */
export function jpeg(): Promise<Buffer> {
  picture ??= sharp({ create: { width: 8, height: 8, channels: 3, background: '#4080c0' } }).jpeg().toBuffer()
  return picture
}

/** The messages of so many frames of a key, one a second of media time. */
export async function frames(key: string, first: number, count: number): Promise<{ key: string; value: Buffer; headers: IHeaders }[]> {
  const value = await jpeg()
  return Array.from({ length: count }, (_, place) => ({
    key,
    value,
    headers: { 'content-type': 'image/jpeg', 'pts-ms': String((first + place) * 1000) },
  }))
}

/** Everything committed in a topic that has one partition, read until `isEnough`. */
export async function readTopic<T>(
  kafka: Kafka,
  topic: string,
  isEnough: (records: readonly ReadTopicRecord<T>[]) => boolean,
): Promise<readonly ReadTopicRecord<T>[]> {
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 100 })
  const records: ReadTopicRecord<T>[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  try {
    await new Promise<void>((resolve, reject) => {
      if (isEnough(records)) resolve()
      consumer
        .run({
          eachMessage: ({ message }) => {
            const text = message.value?.toString() ?? 'null'
            const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)] as const)
            let value: unknown = text
            try {
              value = JSON.parse(text)
            } catch {
              // A picture, say.
            }
            records.push({ key: message.key?.toString() ?? '', headers: Object.fromEntries(headers), value: value as T, offset: message.offset })
            if (isEnough(records)) resolve()
            return Promise.resolve()
          },
        })
        .catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return records
}

export interface ReadTopicRecord<T = Result> {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: T
  readonly offset: string
}
