import { kafkaSource } from './kafka.js'
import type { KafkaSourceOptions } from './kafka.js'
import type { Source } from './source.js'

/** Settings of `fromTopic`: those of `kafkaSource` that frames have a use for. */
export type FromTopicOptions = Omit<KafkaSourceOptions, 'sampling' | 'allow' | 'download'>

/**
 * Reads the frames that `toTopic` sent: `kafkaSource`, without what only clips and references need.
 *
 * Frames come as they were sampled: the same stream ids, epochs and media times, all of them. Frames that were sent
 * twice, after a crash, are dropped as `duplicate` or `out-of-order`.
 *
 * A stream's end isn't sent: its last windows are closed after `windowIdleMs` of silence.
 *
 * @example
 * ```ts
 * fromTopic({ brokers: ['127.0.0.1:9092'], topic: 'frames', groupId: 'models' })
 * ```
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function fromTopic(options: FromTopicOptions): Source {
  return kafkaSource(options)
}
