import { isDeepStrictEqual } from 'node:util'

import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'

import { StreamError, throwIfAborted } from '../../errors.js'
import { createLedger } from '../../ledger.js'
import type { DeliveryReceipt, Ledger } from '../../ledger.js'
import type { DeliveryEntry } from '../../needs.js'
import type { Frame, StreamInfo } from '../../types.js'
import type { FrameMessage } from './message.js'
import { epochOf } from './state.js'
import type { KeyState } from './state.js'
import type { FrameStream } from '../source.js'

/** What the streams of a partition share. */
export interface PartitionStreams {
  readonly partition: number
  readonly maxFramesInFlight: number
  /** Aborted when this process reads the partition no longer. */
  readonly revoked: AbortSignal
  /** A stream's chain of operators has failed: the partition can't go on. */
  readonly onFailure: (error: unknown) => void
  /** Something changed of what is needed. */
  readonly onChange: () => void
  /** How results become visible; none: the sinks are written to. */
  readonly transactionOf: (streamId: string) => Pick<StreamInfo, 'transaction'>
}

/** What a stream of one key is made with. */
export interface KeyStreamSetup {
  readonly streamId: string
  readonly partition: PartitionStreams
  /** Where an earlier process left off. */
  readonly restored: KeyState | undefined
  readonly isAnswered: (id: string) => boolean
  readonly onDelivered: (entry: DeliveryEntry) => void
}

/** A decoded picture, and the message it came in. */
export interface DecodedFrame {
  readonly message: FrameMessage
  readonly offset: number
  readonly image: Pick<Frame, 'width' | 'height' | 'data'>
}

/** The stream of the frames of one key, fed message by message. */
export class KeyFrames {
  readonly ledger: Ledger
  readonly stream: FrameStream
  readonly #setup: KeyStreamSetup
  /** The latest epoch. */
  #info: StreamInfo
  /** The media time of its last frame. */
  #lastPtsMs: number
  /** Where the frames are whose place may still be asked for, and one before them. */
  #places: FramePlace[]
  #subscriber: Subscriber<Frame> | undefined
  #isFinished = false

  constructor(setup: KeyStreamSetup, first: DecodedFrame) {
    const { restored, partition, onDelivered } = setup
    this.#setup = setup
    const epoch = first.message.epoch ?? restored?.epoch ?? epochOf(first.offset, partition.partition)
    // Another epoch begins with empty windows.
    const windows = restored?.epoch === epoch ? restored.windows : []
    this.ledger = createLedger({ windows, onChange: partition.onChange, onDelivered })
    this.#info = this.#infoOf(epoch, first.message)
    this.#lastPtsMs = (restored?.epoch === epoch ? restored.ptsMs : null) ?? -Infinity
    this.#places = [{ offset: -1, epoch, ptsMs: this.#lastPtsMs }]
    const frames = new Observable<Frame>((subscriber) => {
      this.#subscriber = subscriber
      return () => (this.#subscriber = undefined)
    })
    this.stream = { info: this.#info, frames, revoked: partition.revoked, handles: failPartition(partition) }
  }

  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Whether it was ended, and everything of it is through. */
  get isThrough(): boolean {
    return this.#isFinished && this.ledger.oldestNeeded() === undefined
  }

  /** Hands a frame out once few enough are unsettled. Rejects with `ABORTED`. */
  async take({ message, offset, image }: DecodedFrame, signal: AbortSignal): Promise<void> {
    await this.ledger.whenFramesBelow(this.#setup.partition.maxFramesInFlight, signal)
    // Woken by the very call that stops it all, it must not count as handed out.
    throwIfAborted(signal, 'Reading')
    const receipt = this.ledger.frame(offset)
    const reason = this.#whyNot(message)
    if (reason !== undefined) {
      receipt.settle({ kind: 'dropped', reason })
      return
    }
    const { ptsMs, capturedAt, pixelKind, trace } = message
    const stream = this.#infoAt(message, offset)
    this.#lastPtsMs = ptsMs
    this.#places.push({ offset, epoch: stream.epoch, ptsMs })
    this.#subscriber?.next({
      ...{ stream, receipt, ptsMs, index: message.frameIndex ?? offset, ...image },
      ...(capturedAt === undefined ? {} : { capturedAt }),
      ...(pixelKind === undefined ? {} : { kind: pixelKind }),
      ...(trace === undefined ? {} : { trace }),
    })
  }

  /** No further frame comes: open windows are closed. */
  finish(): void {
    this.#isFinished = true
    this.#subscriber?.complete()
    this.#setup.partition.onChange()
  }

  /** The oldest offset that is needed once some deliveries are safe. */
  need(except: ReadonlySet<DeliveryReceipt>): number | undefined {
    return this.ledger.oldestNeeded(except)
  }

  /** The epoch that is to go on at an offset that nothing before is needed of, and the media time it has come to. */
  placeAt(offset: number): { readonly epoch: number; readonly ptsMs: number | null } {
    const before = this.#places.filter((place) => place.offset < offset)
    this.#places = [...before.slice(-1), ...this.#places.slice(before.length)]
    const [last, next] = [before.at(-1), this.#places.find((place) => place.offset >= offset)]
    const epoch = next?.epoch ?? this.#info.epoch
    return { epoch, ptsMs: last?.epoch === epoch && last.ptsMs > -Infinity ? last.ptsMs : null }
  }

  /** Why a frame can't be part of the stream: it came before, or its chain wants no more. */
  #whyNot({ ptsMs, epoch }: FrameMessage): string | undefined {
    if (this.#subscriber === undefined) return 'unread'
    const current = this.#info.epoch
    if (ptsMs === this.#lastPtsMs && (epoch ?? current) === current) return 'duplicate'
    const isOld = epoch !== undefined && (epoch < current || (epoch === current && ptsMs < this.#lastPtsMs))
    return isOld ? 'out-of-order' : undefined
  }

  /**
   * The stream as of a frame. A new epoch begins where its sender says so, or, without that, where media time goes back; questions
   * are those that came with the frame.
   */
  #infoAt(message: FrameMessage, offset: number): StreamInfo {
    const { epoch, ptsMs, questions } = message
    const goesBack = epoch === undefined && ptsMs < this.#lastPtsMs
    const next = goesBack ? epochOf(offset, this.#setup.partition.partition) : (epoch ?? this.#info.epoch)
    const isSame = next === this.#info.epoch && isDeepStrictEqual(questions, this.#info.questions)
    if (!isSame) this.#info = this.#infoOf(next, message)
    return this.#info
  }

  #infoOf(epoch: number, { questions }: FrameMessage): StreamInfo {
    const { streamId, isAnswered, partition } = this.#setup
    return {
      ...{ id: streamId, epoch, kind: 'kafka', isLive: true, ledger: this.ledger, isAnswered },
      ...(questions === undefined ? {} : { questions }),
      ...partition.transactionOf(streamId),
      health: () => ({ coverage: 1, warnings: [] }),
    }
  }
}

/** Ends the partition with a chain's error. One that may pass is the partition's alone: it is opened again. */
export function failPartition({ onFailure }: PartitionStreams): (error: unknown) => boolean {
  return (error) => {
    onFailure(error)
    return error instanceof StreamError && error.canRetry
  }
}

/** Where a frame is, in the topic and in its stream. */
interface FramePlace {
  readonly offset: number
  readonly epoch: number
  readonly ptsMs: number
}
