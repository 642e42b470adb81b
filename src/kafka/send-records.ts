import { isDeepStrictEqual } from 'node:util'

import type { IHeaders, Producer, TopicMessages } from 'kafkajs'

import type { KafkaCompression, OutgoingRecord } from '../delivery.js'
import { StreamError } from '../errors.js'
import { compressionType } from './compression.js'
import { partitionOf } from './producer.js'

/** A record for a topic; the partition where it isn't to be chosen by the key. */
export interface ProducedRecord extends OutgoingRecord {
  readonly partition?: number
}

/**
 * Most bytes of records in one request, but for a larger record, which goes alone: a topic's limit (1 MiB, where nobody
 * set another) is one of what is sent to a partition at once, not of single records.
 */
const MOST_BYTES = 512 * 1024
/** What a record takes beside its key, its value and its headers, at most. */
const RECORD_OVERHEAD = 64

/** Records that are sent at once. */
export interface SendRequest {
  readonly compression: KafkaCompression
  readonly records: readonly ProducedRecord[]
}

/**
 * Sends records, as few requests as it takes, and resolves when all in-sync replicas have them.
 *
 * For transactions: where it rejects, some records may be stored, once or twice.
 *
 * @throws {StreamError} `KAFKA_FAILED`: see `sendRequest`. Whatever else the client throws.
 */
export async function sendRecords(producer: Pick<Producer, 'sendBatch'>, records: readonly ProducedRecord[]): Promise<void> {
  for (const request of inRequests(records, ({ compression = 'none' }) => compression)) await sendRequest(producer, request)
}

/**
 * Records in requests of one key each, and so of one partition: each is stored as a whole or not at all, and can be
 * sent again without those before it. Records without a key go alone.
 */
export function requestsByKey(records: readonly ProducedRecord[]): readonly SendRequest[] {
  return inRequests(records, ({ topic, key, compression = 'none' }, index) => JSON.stringify([topic, key ?? index, compression]))
}

/**
 * Sends a request with a producer of `createProducer`, and looks whether every partition has answered for it, once.
 *
 * The client (2.2.4) takes a broker that has answered for one that has everything: when the leader of a partition
 * moves to it while another broker is asked again, the partition's records are sent to nobody, and nothing is said.
 * Nor does it say anything of a partition that it doesn't know.
 *
 * @throws {StreamError} `KAFKA_FAILED`: not all records are stored, or some twice. Whatever else the client throws.
 */
export async function sendRequest(producer: Pick<Producer, 'sendBatch'>, { compression, records }: SendRequest): Promise<void> {
  const topicMessages = byTopic(records)
  const answers = await producer.sendBatch({ topicMessages, acks: -1, compression: compressionType(compression) })
  const asked = new Set(topicMessages.flatMap(({ topic, messages }) => messages.map((message) => place(topic, partitionOf(message)))))
  const answered = answers.map(({ topicName, partition }) => place(topicName, partition))
  if (isDeepStrictEqual([...asked].sort(), answered.sort())) return
  const topics = topicMessages.map(({ topic }) => topic).join(', ')
  const message = `Not every partition of ${topics} has stored its records once: some moved meanwhile, or aren't there. Send them again.`
  throw new StreamError('KAFKA_FAILED', message)
}

function place(topic: string, partition: number | undefined): string {
  return `${topic}[${partition ?? 'nowhere'}]`
}

interface Begun extends SendRequest {
  readonly records: ProducedRecord[]
  bytes: number
}

/** Records of one group, not too many bytes of them at once. */
function inRequests(
  records: readonly ProducedRecord[],
  groupOf: (record: ProducedRecord, index: number) => string,
): readonly SendRequest[] {
  const requests: Begun[] = []
  const latest = new Map<string, Begun>()
  for (const [index, record] of records.entries()) {
    const group = groupOf(record, index)
    const bytes = bytesOf(record)
    const request = latest.get(group)
    if (request !== undefined && request.bytes + bytes <= MOST_BYTES) {
      request.records.push(record)
      request.bytes += bytes
    } else {
      const begun: Begun = { compression: record.compression ?? 'none', records: [record], bytes }
      requests.push(begun)
      latest.set(group, begun)
    }
  }
  return requests
}

function bytesOf({ key, value, headers }: ProducedRecord): number {
  const parts = [key, value, ...Object.entries(headers).flatMap(([name, values]) => [name, ...[values].flat()])]
  const sizes = parts.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : (part?.length ?? 0)))
  return sizes.reduce((sum, size) => sum + size, RECORD_OVERHEAD)
}

/** Records as the client takes them, in order within each topic. */
function byTopic(records: readonly ProducedRecord[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>()
  for (const { topic, key, value, headers, partition } of records) {
    const messages = topics.get(topic) ?? { topic, messages: [] }
    topics.set(topic, messages)
    messages.messages.push({
      ...{ key: toBuffer(key), value: toBuffer(value), headers: toHeaders(headers) },
      ...(partition === undefined ? {} : { partition }),
    })
  }
  return [...topics.values()]
}

function toHeaders(headers: OutgoingRecord['headers']): IHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [
      name,
      typeof values === 'string' || values instanceof Uint8Array ? toBuffer(values) : values.map(toBuffer),
    ]),
  )
}

function toBuffer<Text extends string | null>(value: Text | Uint8Array): Text | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}
