import kafkajs from 'kafkajs'
import type { Admin, Kafka } from 'kafkajs'

import { StreamError } from '../errors.js'
import { kafkaError } from './kafka-errors.js'

const { ConfigResourceTypes } = kafkajs

/** What a source asks a cluster beside reading and writing. */
export interface Topics {
  /** How many partitions a topic has. @throws {StreamError} `KAFKA_TOPIC_UNKNOWN`, `KAFKA_*`. */
  partitionsOf(topic: string): Promise<number>
  /**
   * Makes a compacted topic where there is none, or widens it, so that it has at least so many partitions. One that is
   * as it should be is only looked at, so that nobody needs the right to make topics.
   *
   * @throws {StreamError} `KAFKA_*`; `SETTING_INVALID`: the topic isn't compacted, or can't have this name.
   */
  ensureCompacted(topic: string, partitions: number): Promise<void>
  /** How far a group has read a partition; undefined: not at all. @throws {StreamError} `KAFKA_*`. */
  committedOffset(groupId: string, topic: string, partition: number): Promise<number | undefined>
  /** The offsets of a partition's first record and behind its last. @throws {StreamError} `KAFKA_*`. */
  bounds(topic: string, partition: number): Promise<{ readonly begin: number; readonly end: number }>
  /** The offsets behind the last records, by partition. @throws {StreamError} `KAFKA_*`. */
  ends(topic: string): Promise<ReadonlyMap<number, number>>
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
    ends: (topic) =>
      asking(`Asking for the offsets of ${topic}`, async () => {
        const places = await admin.fetchTopicOffsets(topic)
        return new Map(places.map(({ partition, high }) => [partition, Number(high)]))
      }),
    close: () => admin.disconnect(),
  }
}

async function partitionsOf(admin: Admin, topic: string): Promise<number> {
  if (!(await isThere(admin, topic))) {
    throw new StreamError('KAFKA_TOPIC_UNKNOWN', `There is no topic ${topic}, or this user may not see it. Create it first.`)
  }
  return countPartitions(admin, topic)
}

async function isThere(admin: Admin, topic: string): Promise<boolean> {
  return (await admin.listTopics()).includes(topic)
}

async function countPartitions(admin: Admin, topic: string): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions.length ?? 0
}

async function ensureCompacted(admin: Admin, topic: string, partitions: number): Promise<void> {
  if (!(await isThere(admin, topic)) && (await createCompacted(admin, topic, partitions))) return
  await checkCompacted(admin, topic)
  if ((await countPartitions(admin, topic)) >= partitions) return
  await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })
}

/** False where another process has just made it. */
function createCompacted(admin: Admin, topic: string, partitions: number): Promise<boolean> {
  const configEntries = [
    { name: 'cleanup.policy', value: 'compact' },
    // It is read as a whole by whoever takes a partition over: small segments are cleaned sooner.
    { name: 'segment.bytes', value: String(16 * 1024 * 1024) },
    { name: 'min.cleanable.dirty.ratio', value: '0.1' },
  ]
  return admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions, configEntries }] })
}

async function checkCompacted(admin: Admin, topic: string): Promise<void> {
  const policy = await cleanupPolicy(admin, topic)
  if (policy === undefined || policy.split(',').includes('compact')) return
  const change = `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config cleanup.policy=compact`
  const message = `The topic ${topic} has \`cleanup.policy\` ${policy}, which deletes what is still needed. Name another, or run ${change}.`
  throw new StreamError('SETTING_INVALID', message)
}

/** Undefined where this user may not know. */
async function cleanupPolicy(admin: Admin, name: string): Promise<string | undefined> {
  const asked = { type: ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] }
  try {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [asked] })
    return resources[0]?.configEntries[0]?.configValue
  } catch (error) {
    if (kafkaError('', error).code === 'KAFKA_UNAUTHORIZED') return undefined
    throw error
  }
}

async function asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw kafkaError(what, error)
  }
}
