import { defer, finalize, ignoreElements, tap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { z } from 'zod'

import type { KafkaCompression, OutgoingRecord } from '../delivery.js'
import { asStreamError } from '../errors.js'
import { encodeJpeg } from '../image-codec.js'
import { connectionFields, topicName } from '../kafka/connection-settings.js'
import type { KafkaConnection } from '../kafka/connection-settings.js'
import { borrowSender } from '../kafka/shared-sender.js'
import type { SenderLease } from '../kafka/shared-sender.js'
import type { FrameOutcome, Receipt } from '../ledger.js'
import { MESSAGE_HEADERS } from '../message-headers.js'
import { checkSettings } from '../settings.js'
import type { Frame } from '../types.js'
import { mapBounded } from './map-bounded.js'

/** Settings of `toTopic`. */
export interface ToTopicOptions extends KafkaConnection {
  /** Topic for the frames; it must be there. */
  readonly topic: string
  /** Quality of the JPEG pictures, 1 to 100. @default 90 */
  readonly quality?: number
  /** How records are compressed; it gains little on pictures. @default 'none' */
  readonly compression?: KafkaCompression
  /** Most frames of a stream that may wait; a paced source stays far below. @default 256 */
  readonly queue?: number
}

const schema = z.strictObject({
  ...connectionFields,
  topic: topicName,
  quality: z.int().min(1).max(100).default(90),
  compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
  queue: z.int().min(1).default(256),
})

/** Pictures of a stream that are encoded at once. */
const ENCODED_AT_ONCE = 4

/** A frame on its way to the topic. */
interface FrameRecord {
  readonly record: OutgoingRecord
  readonly receipt: Receipt
}

/**
 * Sends each frame to a Kafka topic as a JPEG picture, for `fromTopic` (or `kafkaSource`) of another process: samplers
 * run by the cameras, models where the GPUs are.
 *
 * ```
 * frames                        a-b-c------|
 * toTopic({ brokers, topic })   -----------|   a, b, c are in the topic
 * ```
 *
 * Emits nothing, so the pipeline has no use for a model: `model: null`. A record's key is the stream's id; its
 * headers (docs/MESSAGES.md) keep the epoch, the media time to the microsecond, whether it is a video's frame or a
 * picture, and the trace, so that whoever answers gives the ids that this process would have given.
 *
 * - **next**: pictures are encoded side by side and sent one by one, in order. The frame's receipt is settled as
 *   `forwarded` once all in-sync replicas have it. Brokers that are away are waited for, for ever, and the source
 *   waits with them.
 * - **what can't become better** ends the output: `KAFKA_UNAUTHORIZED`, `KAFKA_TOPIC_UNKNOWN`, `KAFKA_TOO_LARGE`; the
 *   frame's receipt is settled as `failed`.
 * - **complete**, **error** of the source: passed on after the frames that were taken.
 * - **unsubscribe**: frames that are not stored are settled as dropped, `stopped`.
 *
 * After a crash, frames of a source that can be read again come again; `fromTopic` notices and drops the second.
 * Streams of one process with the same settings share one connection, opened with the first frame and closed with
 * the last stream.
 *
 * **Memory**: the source's budget of unsettled frames, at most `queue + 4` of them as pixels and `queue + 1` as JPEG.
 * More means that the source isn't paced, and ends the output with `PIPELINE_INVALID`.
 *
 * @example
 * ```ts
 * definePipeline({
 *   name: 'sampler',
 *   model: null,
 *   sources: [rtsp('rtsp://camera/stream', { id: 'door', sampling: byFps(1) })],
 *   stream: (frames) => frames.pipe(toTopic({ brokers: ['127.0.0.1:9092'], topic: 'frames' })),
 * })
 * ```
 * @throws {StreamError} `SETTING_INVALID`; a secret or a file that isn't there is told when the stream begins.
 */
export function toTopic(options: ToTopicOptions): OperatorFunction<Frame, never> {
  const { topic, quality, compression, queue } = checkSettings('toTopic', schema, options)
  const held = { queue, onDiscard: settleAsStopped }

  return (frames) =>
    defer(() => {
      const lease = borrowSender(topic, options)
      const toRecord = async ([frame]: readonly Frame[]): Promise<readonly FrameRecord[]> =>
        frame === undefined ? [] : [{ receipt: frame.receipt, record: { ...(await encodeFrame(frame, quality)), topic, compression } }]
      return frames.pipe(
        mapBounded(toRecord, { ...held, concurrency: ENCODED_AT_ONCE }),
        mapBounded((records: readonly FrameRecord[], signal) => send(records, { lease, signal }), held),
        tap(({ receipt }) => {
          receipt.settle({ kind: 'forwarded' })
        }),
        ignoreElements(),
        finalize(() => {
          lease.release()
        }),
      )
    })
}

/** A frame as a record; where it goes is the caller's to say. */
async function encodeFrame(frame: Frame, quality: number): Promise<Omit<OutgoingRecord, 'topic'>> {
  try {
    return { key: frame.stream.id, value: await encodeJpeg(frame, { quality }), headers: headersOf(frame) }
  } catch (error) {
    throw failed(frame.receipt, asStreamError(error, 'FRAME_UNREADABLE', `Frame ${frame.index} of ${frame.stream.id} can't be encoded`))
  }
}

function headersOf({ stream, ptsMs, index, capturedAt, kind, trace }: Frame): Readonly<Record<string, string>> {
  const { id, epoch, questions } = stream
  return {
    [MESSAGE_HEADERS.contentType]: 'image/jpeg',
    [MESSAGE_HEADERS.streamId]: id,
    // Media time has microseconds, and so has the header.
    [MESSAGE_HEADERS.ptsMs]: String(Math.round(ptsMs * 1000) / 1000),
    [MESSAGE_HEADERS.epoch]: String(epoch),
    [MESSAGE_HEADERS.frameIndex]: String(index),
    ...(capturedAt !== undefined && { [MESSAGE_HEADERS.capturedAt]: capturedAt }),
    ...(kind !== undefined && { [MESSAGE_HEADERS.pixelKind]: kind }),
    ...(questions !== undefined && { [MESSAGE_HEADERS.questions]: JSON.stringify(questions) }),
    ...trace,
  }
}

async function send(
  records: readonly FrameRecord[],
  { lease, signal }: { lease: SenderLease; signal: AbortSignal },
): Promise<readonly FrameRecord[]> {
  try {
    await lease.sender.send(records.map(({ record }) => record), signal)
    return records
  } catch (error) {
    for (const { receipt } of records) failed(receipt, error)
    throw error
  }
}

/** Settles the frame that an error is about, and returns the error. */
function failed(receipt: Receipt, error: unknown): unknown {
  const { code } = asStreamError(error, 'KAFKA_FAILED', 'A frame could not be sent')
  const outcome: FrameOutcome = code === 'ABORTED' ? { kind: 'dropped', reason: 'stopped' } : { kind: 'failed', code }
  if (!receipt.isSettled) receipt.settle(outcome)
  return error
}

/** The frame that failed is settled already. */
function settleAsStopped({ receipt }: { readonly receipt: Receipt }): void {
  if (!receipt.isSettled) receipt.settle({ kind: 'dropped', reason: 'stopped' })
}
