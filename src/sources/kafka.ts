import { Observable } from 'rxjs'
import { z } from 'zod'

import { asStreamError } from '../errors.js'
import { clusterOf, connectionFields, topicName } from '../kafka/connection-settings.js'
import type { KafkaConnection } from '../kafka/connection-settings.js'
import { createClient } from '../kafka/connection.js'
import type { Sampling } from '../sampling/sampling.js'
import { checkSettings } from '../settings.js'
import { allowList } from './allow-list.js'
import { videoReadingFields } from './decoding/file-stream.js'
import { downloadSchema } from './remote-file/settings.js'
import type { DownloadOptions } from './remote-file/settings.js'
import { cameraSchema } from './kafka/open-video.js'
import type { CameraOptions } from './kafka/open-video.js'
import { KafkaSession } from './kafka/session.js'
import type { SessionSettings } from './kafka/session.js'
import type { FrameStream, Source, SourceContext } from './source.js'

/** Settings of `kafkaSource`. */
export interface KafkaSourceOptions extends KafkaConnection {
  /** Topic whose messages carry video; it must be there. */
  readonly topic: string
  /** Consumer group: processes of one group share the topic's partitions. */
  readonly groupId: string
  /** Name of the source. @default 'kafka:' and the topic */
  readonly id?: string
  /** Where a group begins that has read nothing yet. @default 'earliest' */
  readonly startFrom?: 'earliest' | 'latest'
  /** Compacted topic that keeps how far each key is; made if it isn't there. @default `<topic>-<groupId>-state` */
  readonly stateTopic?: string
  /** Topic for messages that can't be used. @default none: they are told of and passed over */
  readonly deadLetterTopic?: string
  /** Beginning of the transactional ids, one for each partition. @default `<groupId>-<topic>` */
  readonly transactionalIdPrefix?: string
  /** Which frames of a clip or a reference are wanted, where the message doesn't say. @default uniform(16) */
  readonly sampling?: Sampling
  /** Most frames of a key handed out and not settled yet. @default 32 */
  readonly maxFramesInFlight?: number
  /** Most bytes of a message; a larger one is a dead letter. @default 67_108_864 (64 MiB) */
  readonly maxMessageBytes?: number
  /** Milliseconds after which the windows of a silent key are closed, so that it doesn't hold the offset. @default 60_000 */
  readonly windowIdleMs?: number
  /** Most milliseconds that progress waits to be committed. @default 1_000 */
  readonly commitIntervalMs?: number
  /** Where references may lead to, as `allowList` reads it. @default nowhere */
  readonly allow?: readonly string[]
  /** How files behind http(s) references are fetched. */
  readonly download?: Omit<DownloadOptions, 'allow'>
  /** How cameras that references name are connected to; `maxAttempts` in a row without a picture make a dead letter. */
  readonly camera?: CameraOptions
  /** Milliseconds without a heartbeat after which a member's partitions go to others. @default 30_000 */
  readonly sessionTimeoutMs?: number
  /** Milliseconds after which brokers abort a transaction that nobody ends. @default 30_000 */
  readonly transactionTimeoutMs?: number
}

const milliseconds = z.int().min(1)

const schema = z.strictObject({
  ...connectionFields,
  topic: topicName,
  groupId: z.string().trim().min(1),
  id: z.string().trim().min(1).optional(),
  startFrom: z.enum(['earliest', 'latest']).default('earliest'),
  stateTopic: topicName.optional(),
  deadLetterTopic: topicName.optional(),
  transactionalIdPrefix: z.string().trim().min(1).optional(),
  sampling: videoReadingFields.sampling,
  maxFramesInFlight: videoReadingFields.maxFramesInFlight,
  maxMessageBytes: z.int().min(1).default(64 * 1024 * 1024),
  windowIdleMs: milliseconds.default(60_000),
  commitIntervalMs: milliseconds.default(1_000),
  allow: z.array(z.string()).default([]),
  download: downloadSchema.omit({ allow: true }).prefault({}),
  camera: cameraSchema.prefault({}),
  sessionTimeoutMs: milliseconds.default(30_000),
  transactionTimeoutMs: milliseconds.default(30_000),
})

/**
 * Reads video from a Kafka topic: clips, single frames, and references to videos elsewhere, told apart by their
 * `content-type` header (docs/MESSAGES.md). A message's key is its stream.
 *
 * ```
 * topic     a1-b1-a2-clip(c)-b2-|
 * stream a  f-----f-------------|     frames of one key keep their order
 * stream b  ---f-----------f----|
 * stream c  -----------f-f-f|         a clip or a reference is a stream of its own, as often as it comes
 * ```
 *
 * Nothing is dropped: the topic is read no faster than frames are settled. How far each key is (open windows,
 * answers that are safe, the epoch) is kept in `stateTopic` and committed in one transaction with the group's
 * offset, so that a restart, a rebalance or a crash goes on with the same windows and the same ids; with
 * `delivery: 'exactly-once'` the answers are in that transaction, too. docs/DELIVERY.md says what each failure does.
 *
 * A message that can't be used goes to `deadLetterTopic` with its headers, the error's code and its position. A
 * reference is followed only where `allow` says so. A key that falls silent closes its windows after `windowIdleMs`.
 *
 * **Memory**: for each key `maxFramesInFlight` frames, for each partition about 4 MiB of messages and 2 videos.
 *
 * Brokers that are away are waited for, for ever. The streams error with `KAFKA_UNAUTHORIZED`,
 * `KAFKA_TOPIC_UNKNOWN` or `KAFKA_TOO_LARGE`.
 *
 * @example
 * ```ts
 * kafkaSource({ brokers: ['127.0.0.1:9092'], topic: 'frames', groupId: 'door-watch', deadLetterTopic: 'frames-dead' })
 * ```
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function kafkaSource(options: KafkaSourceOptions): Source {
  const given = checkSettings('kafkaSource', schema, options)
  const { topic, groupId, id = `kafka:${topic}`, sampling, maxFramesInFlight, allow, download, camera, ...rest } = given
  const stateTopic = given.stateTopic ?? `${topic}-${groupId}-state`
  checkSettings('kafkaSource', z.object({ stateTopic: topicName }), { stateTopic })
  const settings = {
    ...{ ...rest, topic, groupId, maxFramesInFlight, cluster: clusterOf(options) },
    stateTopic,
    transactionalIdPrefix: given.transactionalIdPrefix ?? `${groupId}-${topic}`,
    deadLetterTopic: given.deadLetterTopic,
    // A message larger than this comes alone: no answer of a broker holds many of them.
    maxBytesPerPartition: 1024 * 1024,
    videos: { reading: { sampling, maxFramesInFlight }, allow: allowList(allow), download, camera },
  }
  const open = (context: SourceContext): Observable<FrameStream> =>
    readTopic(options, { ...settings, isExactlyOnce: context.delivery === 'exactly-once', notify: context.notify }, context)
  const unattended: SourceContext = {
    ...{ stop: new AbortController().signal, delivery: 'at-least-once', notify: () => undefined },
  }
  return { kind: 'kafka', id, streams: open(unattended), open, cluster: settings.cluster }
}

function readTopic(connection: KafkaConnection, settings: SessionSettings, context: SourceContext): Observable<FrameStream> {
  return new Observable((subscriber) => {
    const halt = new AbortController()
    const onStream = (stream: FrameStream): void => {
      subscriber.next(stream)
    }
    const read = async (): Promise<void> => {
      const session = new KafkaSession(createClient(connection), settings, { context, onStream })
      await session.run(halt.signal)
    }
    read().then(
      () => {
        subscriber.complete()
      },
      (error: unknown) => {
        if (!halt.signal.aborted) subscriber.error(asStreamError(error, 'KAFKA_FAILED', `Reading ${settings.topic}`))
      },
    )
    return () => {
      halt.abort()
    }
  })
}
