import type { Producer, TopicMessages } from 'kafkajs'

import type { KafkaCompression, OutgoingRecord } from '../delivery.js'
import { compressionType } from './compression.js'

/** A record for a topic; the partition where it isn't to be chosen by the key. */
export interface ProducedRecord extends OutgoingRecord {
  readonly partition?: number
}

/** Sends records, and resolves when all in-sync replicas have them: one request for each way of compression. */
export async function sendRecords(producer: Pick<Producer, 'sendBatch'>, records: readonly ProducedRecord[]): Promise<void> {
  const groups = new Map<KafkaCompression, ProducedRecord[]>()
  for (const record of records) {
    const { compression = 'none' } = record
    const group = groups.get(compression)
    if (group === undefined) groups.set(compression, [record])
    else group.push(record)
  }
  for (const [compression, group] of groups) {
    await producer.sendBatch({ topicMessages: byTopic(group), acks: -1, compression: compressionType(compression) })
  }
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
