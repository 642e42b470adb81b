import type { Producer, TopicMessages } from 'kafkajs'

import type { KafkaCompression, OutgoingRecord } from '../delivery.js'
import { compressionType } from './compression.js'

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

/** Sends records, in order, and resolves when all in-sync replicas have them. */
export async function sendRecords(producer: Pick<Producer, 'sendBatch'>, records: readonly ProducedRecord[]): Promise<void> {
  for (const { compression, group } of inRequests(records)) {
    await producer.sendBatch({ topicMessages: byTopic(group), acks: -1, compression: compressionType(compression) })
  }
}

interface Request {
  readonly compression: KafkaCompression
  readonly group: ProducedRecord[]
  bytes: number
}

/** Records of one way of compression, not too many bytes of them at once. */
function inRequests(records: readonly ProducedRecord[]): readonly Request[] {
  const requests: Request[] = []
  const latest = new Map<KafkaCompression, Request>()
  for (const record of records) {
    const { compression = 'none' } = record
    const bytes = bytesOf(record)
    const request = latest.get(compression)
    if (request !== undefined && request.bytes + bytes <= MOST_BYTES) {
      request.group.push(record)
      request.bytes += bytes
    } else {
      const begun: Request = { compression, group: [record], bytes }
      requests.push(begun)
      latest.set(compression, begun)
    }
  }
  return requests
}

function bytesOf({ key, value, headers }: ProducedRecord): number {
  const texts = [key, ...Object.entries(headers).flat()]
  const sizes = [value ?? '', ...texts].map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : part.length))
  return sizes.reduce((sum, size) => sum + size, RECORD_OVERHEAD)
}

/** Records as the client takes them, in order within each topic. */
function byTopic(records: readonly ProducedRecord[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>()
  for (const { topic, key, value, headers, partition } of records) {
    const messages = topics.get(topic) ?? { topic, messages: [] }
    topics.set(topic, messages)
    messages.messages.push({
      ...{ key, value: toBuffer(value), headers: { ...headers } },
      ...(partition === undefined ? {} : { partition }),
    })
  }
  return [...topics.values()]
}

function toBuffer(value: OutgoingRecord['value']): Buffer | string | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}
