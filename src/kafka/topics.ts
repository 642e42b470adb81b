import type { Admin, Kafka } from 'kafkajs'

import { StreamError } from '../errors.js'
import { kafkaError } from './kafka-errors.js'

/** What a source asks a cluster beside reading and writing. */
export interface Topics {
  /** How many partitions a topic has. @throws {StreamError} `KAFKA_TOPIC_UNKNOWN`, `KAFKA_*`. */
  partitionsOf(topic: string): Promise<number>
  /** Makes a compacted topic, or widens it, so that it has at least so many partitions. @throws {StreamError} `KAFKA_*`. */
  ensureCompacted(topic: string, partitions: number): Promise<void>
  /** How far a group has read a partition; undefined: not at all. @throws {StreamError} `KAFKA_*`. */
  committedOffset(groupId: string, topic: string, partition: number): Promise<number | undefined>
  /** The offsets of a partition's first record and behind its last. @throws {StreamError} `KAFKA_*`. */
  bounds(topic: string, partition: number): Promise<{ readonly begin: number; readonly end: number }>
  close(): Promise<void>
}

/** Connects for questions about topics. @throws {StreamError} `KAFKA_*`. */
export async function openTopics(kafka: Kafka): Promise<Topics> {
  const admin = kafka.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 } })
  await asking('The cluster could not be reached', () => admin.connect())
  return {
    partitionsOf: (topic) => asking(`Looking for the topic ${topic}`, () => partitionsOf(admin, topic)),
    ensureCompacted: (topic, partitions) =>
      asking(`Making the topic ${topic}`, () => ensureCompacted(admin, topic, partitions)),
    committedOffset: (groupId, topic, partition) =>
      asking(`Asking for the offsets of ${groupId}`, async () => {
        const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
        const offset = Number(found?.partitions.find((place) => place.partition === partition)?.offset ?? -1)
        return offset < 0 ? undefined : offset
      }),
    bounds: (topic, partition) =>
      asking(`Asking for the offsets of ${topic}`, async () => {
        const place = (await admin.fetchTopicOffsets(topic)).find((each) => each.partition === partition)
        return { begin: Number(place?.low ?? 0), end: Number(place?.high ?? 0) }
      }),
    close: () => admin.disconnect(),
  }
}

async function partitionsOf(admin: Admin, topic: string): Promise<number> {
  if (!(await admin.listTopics()).includes(topic)) {
    throw new StreamError('KAFKA_TOPIC_UNKNOWN', `There is no topic ${topic}, or this user may not see it. Create it first.`)
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions.length ?? 0
}

async function ensureCompacted(admin: Admin, topic: string, partitions: number): Promise<void> {
  // False where it is there already, also where another process has just made it.
  const isNew = await admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        ...{ topic, numPartitions: partitions },
        configEntries: [
          { name: 'cleanup.policy', value: 'compact' },
          // It is read as a whole by whoever takes a partition over: small segments are cleaned sooner.
          { name: 'segment.bytes', value: String(16 * 1024 * 1024) },
          { name: 'min.cleanable.dirty.ratio', value: '0.1' },
        ],
      },
    ],
  })
  if (isNew || (await partitionsOf(admin, topic)) >= partitions) return
  await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })
}

async function asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw kafkaError(what, error)
  }
}
