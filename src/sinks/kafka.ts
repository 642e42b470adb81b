import { z } from 'zod'

import type { KafkaCompression, OutgoingRecord } from '../delivery.js'
import type { Result } from '../envelope.js'
import { StreamError, asStreamError } from '../errors.js'
import { clusterOf, connectionFields, topicName } from '../kafka/connection-settings.js'
import type { KafkaConnection } from '../kafka/connection-settings.js'
import { createClient } from '../kafka/connection.js'
import { createRecordSender } from '../kafka/record-sender.js'
import type { RecordSender } from '../kafka/record-sender.js'
import { originOf } from '../origin.js'
import { checkSettings } from '../settings.js'
import type { Sink } from './sink.js'

/** Settings of `kafkaSink`. */
export interface KafkaSinkOptions extends KafkaConnection {
  /** Topic for answers. */
  readonly topic: string
  /** Topic for questions that could not be answered. @default `topic` */
  readonly errorsTopic?: string
  /** Topic for alerts. @default `topic` */
  readonly alertsTopic?: string
  /** @default 'none' */
  readonly compression?: KafkaCompression
}

const schema = z.strictObject({
  ...connectionFields,
  topic: topicName,
  errorsTopic: topicName.optional(),
  alertsTopic: topicName.optional(),
  compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
})

/**
 * Writes each result to a Kafka topic, as JSON.
 *
 * A record's key is the stream's id, so that a stream's results keep their order; its headers are `schema`,
 * `answer-id`, `kind`, `content-type` and, where the result belongs to a trace, `traceparent` and `tracestate`.
 *
 * `write` resolves when all in-sync replicas have the record (idempotent producer: a repeated send is stored once).
 * Brokers that are away make it wait, for as long as it takes, and the pipeline with it. What can't become
 * better rejects with `SINK_FAILED` and its cause: a topic that was deleted, a record that is too large for it.
 *
 * `open` rejects with `KAFKA_UNAUTHORIZED`, `KAFKA_TOPIC_UNKNOWN` (all three topics are looked for), and with
 * `KAFKA_FAILED` where no broker can be reached.
 *
 * In a pipeline with `delivery: 'exactly-once'` the records become visible in one transaction with the progress
 * of the `kafkaSource` of the same brokers, written by that source's login; the sink's own is used to look for its
 * topics. Readers want `read_committed` then.
 *
 * @example
 * ```ts
 * kafkaSink({ brokers: ['127.0.0.1:9092'], topic: 'answers', alertsTopic: 'alerts', compression: 'gzip' })
 * ```
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function kafkaSink(options: KafkaSinkOptions): Sink {
  const { topic, errorsTopic = topic, alertsTopic = topic, compression } = checkSettings('kafkaSink', schema, options)
  const topics: Readonly<Record<Result['kind'], string>> = { answer: topic, error: errorsTopic, alert: alertsTopic }
  const records = (result: Result): readonly OutgoingRecord[] => [{ ...toRecord(result, topics[result.kind]), compression }]
  let sender: RecordSender | undefined

  return {
    kind: 'kafka',
    cluster: clusterOf(options),
    records,
    open: async () => {
      sender = createRecordSender(createClient(options))
      await sender.open([...new Set(Object.values(topics))])
    },
    write: async (result) => {
      if (sender === undefined) throw new StreamError('SINK_FAILED', `Could not write to ${topic}: the sink isn't open.`)
      await sender.send(records(result)).catch(failWrite)
    },
    close: async () => {
      const closing = sender
      sender = undefined
      await closing?.close()
    },
  }
}

function failWrite(cause: unknown): never {
  const { message } = asStreamError(cause, 'KAFKA_FAILED', 'A result could not be sent')
  throw new StreamError('SINK_FAILED', message, { cause })
}

function toRecord(result: Result, topic: string): OutgoingRecord {
  return {
    topic,
    key: result.source.id,
    value: JSON.stringify(result),
    headers: {
      ...{ schema: result.schema, 'answer-id': result.id, kind: result.kind, 'content-type': 'application/json' },
      ...originOf(result).trace,
    },
  }
}
