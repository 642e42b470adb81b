import { map, tap } from 'rxjs'

import { StreamError } from '../../errors.js'
import { createLedger } from '../../ledger.js'
import type { DeliveryReceipt, Ledger } from '../../ledger.js'
import type { Frame, StreamInfo } from '../../types.js'
import { adoptFrames } from './adopt-stream.js'
import { failPartition } from './key-frames.js'
import type { KeyStreamSetup } from './key-frames.js'
import type { ClipMessage, ReferenceMessage } from './message.js'
import { epochOf } from './state.js'
import type { FrameStream } from '../source.js'

/** A message that is a whole video, or says where one is. */
export interface VideoMessage {
  readonly message: ClipMessage | ReferenceMessage
  readonly offset: number
  /** The video's own stream. */
  readonly video: FrameStream
  /** Takes an error that is the message's fault. */
  readonly onPoison: (error: StreamError) => void
}

/** The stream of one message that is a whole video. All of it is needed until all its results are safe. */
export class MessageVideo {
  readonly ledger: Ledger
  readonly stream: FrameStream
  readonly offset: number
  #isRead = false
  /** Its dead letter stands for it: what its operators still held is of no use. */
  #isPoisoned = false

  constructor(setup: KeyStreamSetup, { message, offset, video, onPoison }: VideoMessage) {
    const { streamId, partition, isAnswered, onDelivered } = setup
    this.offset = offset
    this.ledger = createLedger({ position: offset, onChange: partition.onChange, onDelivered })
    const infoOf = (inner: StreamInfo): StreamInfo => ({
      ...{ id: streamId, kind: 'kafka', isLive: false, ledger: this.ledger, isAnswered },
      // A camera counts its own runs; a file has none.
      epoch: inner.epoch === 0 ? epochOf(offset, partition.partition) : inner.epoch,
      ...(message.questions === undefined ? {} : { questions: message.questions }),
      ...partition.transactionOf(streamId),
      health: () => inner.health(),
    })
    const { trace } = message
    const frames = adoptFrames(video, infoOf).pipe(
      tap({
        complete: () => {
          this.#isRead = true
          partition.onChange()
        },
      }),
    )
    this.stream = {
      info: infoOf(video.info),
      frames: trace === undefined ? frames : frames.pipe(map((frame: Frame) => ({ ...frame, trace }))),
      revoked: partition.revoked,
      handles: (error) => {
        if (!(error instanceof StreamError) || !isPoison(error)) return failPartition(partition)(error)
        this.#isPoisoned = true
        onPoison(error)
        return true
      },
    }
  }

  get isThrough(): boolean {
    return this.need(new Set()) === undefined
  }

  /** The message's offset, until everything of it is through once some deliveries are safe. */
  need(except: ReadonlySet<DeliveryReceipt>): number | undefined {
    if (this.#isPoisoned) return undefined
    return this.#isRead && this.ledger.oldestNeeded(except) === undefined ? undefined : this.offset
  }
}

/** Codes of errors that come from what is in a message, by how they begin. What may pass was retried by then. */
const POISON = ['VIDEO_', 'FRAME_', 'MESSAGE_', 'ADDRESS_', 'CLIP_', 'RTSP_']

/** Whether an error is a message's fault. */
export function isPoison({ code }: StreamError): boolean {
  return POISON.some((begin) => code.startsWith(begin))
}
