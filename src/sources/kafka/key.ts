import type { DeliveryReceipt } from '../../ledger.js'
import type { DeliveryEntry } from '../../needs.js'
import { KeyFrames } from './key-frames.js'
import type { DecodedFrame, PartitionStreams } from './key-frames.js'
import { MessageVideo } from './message-video.js'
import type { VideoMessage } from './message-video.js'
import type { KeyState } from './state.js'

const NOTHING: ReadonlySet<DeliveryReceipt> = new Set()

/** How far a key is, for whoever goes on with it. */
export interface KeyProgress {
  /** The oldest offset that something still needs; undefined: none. */
  readonly need: number | undefined
  /** What to keep. */
  readonly state: KeyState
}

/** One key of a partition: its streams that are not through, and what an earlier process left. */
export class Key {
  readonly #streamId: string
  readonly #partition: PartitionStreams
  /** What the earlier process left; the first stream takes its windows over. */
  #restored: KeyState | undefined
  /** Ids of results that are safe, each with the offset from which its frames begin. */
  readonly #answered: Map<string, number>
  #frames: KeyFrames | undefined
  readonly #videos = new Set<MessageVideo>()
  /** Behind the last message that was taken. */
  #next: number
  /** When the last message was taken, by this process's clock, which stands still while no broker is heard. */
  #lastTakenMs: number
  /** The partition's time at the last message. */
  #lastMs: number | undefined

  constructor(
    streamId: string,
    partition: PartitionStreams,
    { restored, nowMs }: { readonly restored?: KeyState; readonly nowMs: number },
  ) {
    this.#streamId = streamId
    this.#partition = partition
    this.#restored = restored
    this.#answered = new Map(restored?.answered)
    this.#next = restored?.resume ?? 0
    this.#lastTakenMs = nowMs
    this.#lastMs = restored?.lastMs ?? undefined
  }

  /** Whether a message was dealt with before this process began. */
  isPast(offset: number): boolean {
    return offset < (this.#restored?.resume ?? 0)
  }

  /** The stream of its frames, if one is open. */
  get frames(): KeyFrames | undefined {
    return this.#frames?.isFinished === true ? undefined : this.#frames
  }

  /** Milliseconds since its last message: by the partition's time, or by this process's clock. */
  silenceMs(until: { readonly clockMs: number } | { readonly nowMs: number }): number {
    if ('nowMs' in until) return until.nowMs - this.#lastTakenMs
    return this.#lastMs === undefined ? 0 : until.clockMs - this.#lastMs
  }

  /** Ends the stream of its frames: its windows are closed, and the next frame begins another stream. */
  close(): void {
    this.frames?.finish()
    if (this.#restored !== undefined) this.#restored = { ...this.#restored, epoch: null, windows: [] }
  }

  /** Whether a stream of frames isn't through. */
  get hasFrames(): boolean {
    this.#forgetThrough()
    return this.#frames !== undefined
  }

  /** Whether whatever it had is through. */
  get isThrough(): boolean {
    this.#forgetThrough()
    return this.#frames === undefined && this.#videos.size === 0
  }

  /** Whether nothing is under way: windows may be open. */
  get isIdle(): boolean {
    const ledgers = [...(this.#frames === undefined ? [] : [this.#frames]), ...this.#videos].map(({ ledger }) => ledger.counts())
    return ledgers.every((counts) => counts.framesInFlight + counts.questionsInFlight + counts.deliveriesInFlight === 0)
  }

  /** Videos that are not through. */
  get videos(): number {
    this.#forgetThrough()
    return this.#videos.size
  }

  /** Begins a stream of frames. */
  beginFrames(first: DecodedFrame): KeyFrames {
    this.#frames = new KeyFrames(this.#setup(), first)
    this.#restored = undefined
    return this.#frames
  }

  /** Begins the stream of a message that is a video. */
  beginVideo(video: VideoMessage): MessageVideo {
    const stream = new MessageVideo(this.#setup(), video)
    this.#restored = undefined
    this.#videos.add(stream)
    return stream
  }

  /** A message of the key was dealt with or handed out. */
  taken({ offset, clockMs, nowMs }: { readonly offset: number; readonly clockMs: number; readonly nowMs: number }): void {
    this.#next = Math.max(this.#next, offset + 1)
    this.#lastTakenMs = nowMs
    this.#lastMs = clockMs
  }

  /** @param except Deliveries that are about to be safe, and the ids of their results. */
  progress(except: ReadonlyMap<DeliveryReceipt, DeliveryEntry> = new Map()): KeyProgress {
    const receipts = new Set(except.keys())
    // What nobody took up yet stays as it was left.
    if (this.#restored !== undefined) return { need: undefined, state: this.#restored }
    const streams = [...(this.#frames === undefined ? [] : [this.#frames]), ...this.#videos]
    const needs = streams.flatMap((stream) => stream.need(receipts) ?? [])
    const need = needs.length === 0 ? undefined : Math.min(...needs)
    const resume = need ?? this.#next
    for (const [id, from] of this.#answered) if (from < resume) this.#answered.delete(id)
    const answered = new Map(this.#answered)
    for (const { id, need: ofResult } of except.values()) {
      if (ofResult !== undefined && ofResult.from >= resume) answered.set(id, ofResult.from)
    }
    // A stream that has ended, and needs nothing any more: the next frame begins another one.
    const isOver = this.#frames?.isFinished !== false && need === undefined
    const { epoch, ptsMs } = (isOver ? undefined : this.#frames)?.placeAt(resume) ?? { epoch: null, ptsMs: null }
    const windows = this.#frames?.ledger.windows(receipts) ?? []
    // Whatever is behind it must not be taken again, as long as another key holds the partition back.
    const state = { epoch, ptsMs, resume, lastMs: this.#lastMs ?? null, windows: isOver ? [] : windows, answered: [...answered] }
    return { need, state }
  }

  /** Whether nothing of it is worth keeping once the partition goes on at an offset. */
  isOverAt(offset: number): boolean {
    if (this.#restored === undefined) return this.isThrough && this.#next <= offset
    return this.#restored.resume <= offset && this.#restored.windows.length === 0
  }

  #forgetThrough(): void {
    if (this.#frames?.isThrough === true) this.#frames = undefined
    for (const video of this.#videos) if (video.need(NOTHING) === undefined) this.#videos.delete(video)
  }

  #setup(): ConstructorParameters<typeof KeyFrames>[0] {
    return {
      ...{ streamId: this.#streamId, partition: this.#partition, restored: this.#restored },
      isAnswered: (id) => this.#answered.has(id),
      onDelivered: ({ id, need }) => {
        if (need !== undefined) this.#answered.set(id, need.from)
      },
    }
  }
}
