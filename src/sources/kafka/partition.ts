import { setMaxListeners } from 'node:events'

import { StreamError, asStreamError, throwIfAborted } from '../../errors.js'
import { decodeImage } from '../../image-codec.js'
import type { ReadRecord } from '../../kafka/group-reader.js'
import { Changes } from '../../ledger-column.js'
import type { StreamInfo } from '../../types.js'
import { Commits } from './commits.js'
import type { CommitContent, PartitionProgress, Publication } from './commits.js'
import { DeadLetters } from './dead-letter.js'
import { Key } from './key.js'
import type { PartitionStreams } from './key-frames.js'
import { isPoison } from './message-video.js'
import { readMessage } from './message.js'
import type { FrameMessage, Message } from './message.js'
import { openVideo } from './open-video.js'
import type { VideoDefaults } from './open-video.js'
import { CLOCK_KEY, DEAD_LETTERS_KEY, decodePartition, encodeClock, encodeDeadLetters, encodeState } from './state.js'
import { PartitionClock } from './partition-clock.js'
import { RecordQueue } from './record-queue.js'
import type { FrameStream, SourceNotice } from '../source.js'

/** Videos of one partition that are read at the same time. */
const MOST_VIDEOS = 2

/** What the partitions of a source share. */
export interface PartitionSettings {
  readonly topic: string
  readonly stateTopic: string
  readonly cluster: string
  readonly isExactlyOnce: boolean
  readonly deadLetterTopic: string | undefined
  readonly maxFramesInFlight: number
  readonly maxMessageBytes: number
  readonly windowIdleMs: number
  readonly commitIntervalMs: number
  readonly videos: VideoDefaults
  readonly notify: (notice: SourceNotice) => void
}

/** What one partition is read with. */
export interface PartitionSetup extends PartitionSettings {
  readonly partition: number
  /** What is durable. */
  readonly offset: number
  /** The values of the state topic by their keys. */
  readonly values: ReadonlyMap<string, string>
  readonly commit: (content: CommitContent) => Promise<void>
  readonly onStream: (stream: FrameStream) => void
  /** Nothing is committed any more: whoever goes on begins with what is durable. Called once. */
  readonly onFailure: (error: unknown) => void
  /** Called when records were taken from the queue. */
  readonly onTaken: () => void
  /** Milliseconds, never falling. */
  readonly now: () => number
}

/**
 * One partition, for as long as this process reads it: hands the frames of its messages out by key, and commits
 * how far they are.
 *
 * Messages are taken one after the other; a key whose frames aren't settled holds the others of its partition
 * back, which is what bounds the memory.
 */
export class PartitionLife {
  readonly #setup: PartitionSetup
  readonly #keys = new Map<string, Key>()
  readonly #commits: Commits
  readonly #deadLetters: DeadLetters
  readonly #queue = new RecordQueue()
  readonly #changes = new Changes()
  /** The offset of the message that is being taken, or of the next one. */
  #next: number
  #isWaiting = false
  /** The key of the message that is being taken: it stays, also while it has nothing yet. */
  #taking: Key | undefined
  readonly #clock: PartitionClock
  /** Aborted when no message is to be taken any more. */
  readonly #stopped = new AbortController()
  readonly #revoked = new AbortController()
  readonly #streams: PartitionStreams
  readonly #reading: Promise<void>

  constructor(setup: PartitionSetup) {
    this.#setup = setup
    this.#next = setup.offset
    // Each stream of the partition listens, and there may be any number of keys.
    setMaxListeners(0, this.#revoked.signal)
    this.#commits = new Commits(
      { ...setup, intervalMs: setup.commitIntervalMs, progress: (publications) => this.#progress(publications) },
      setup,
      setup.onFailure,
    )
    this.#streams = {
      ...{ partition: setup.partition, maxFramesInFlight: setup.maxFramesInFlight, revoked: this.#revoked.signal },
      onFailure: setup.onFailure,
      onChange: () => {
        this.#changes.emit()
        this.#commits.touch()
      },
      transactionOf: (streamId) => this.#transactionOf(streamId),
    }
    const { keys, deadLetters, clockMs } = decodePartition(setup.values)
    this.#clock = new PartitionClock(clockMs)
    for (const [key, state] of keys) this.#keys.set(key, new Key(key, this.#streams, { restored: state, nowMs: setup.now() }))
    this.#deadLetters = new DeadLetters(deadLetters, {
      ...{ topic: setup.deadLetterTopic, notify: setup.notify, onChange: () => { this.#streams.onChange() } },
      publish: (publication) => this.#commits.publish(publication),
    })
    this.#reading = this.#read()
  }

  /** Records that wait to be taken, in bytes. */
  get waitingBytes(): number {
    return this.#queue.bytes
  }

  /** The offset behind the last message that was taken. */
  get nextOffset(): number {
    return this.#next
  }

  push(records: readonly ReadRecord[]): void {
    for (const record of records) if (record.offset >= this.#next) this.#queue.push(record)
    this.#changes.emit()
  }

  /** Closes the windows of keys that have been silent for too long, where nothing waits to be read. */
  closeSilent(): void {
    const nowMs = this.#setup.now()
    if (this.#isWaiting) this.#closeSilent((key) => key.silenceMs({ nowMs }))
  }

  /** Takes no message any more, from this moment on. */
  stopTaking(): void {
    this.#stopped.abort()
  }

  /** Takes no message any more; finishes and commits what was taken. */
  async drain(): Promise<void> {
    this.stopTaking()
    await this.#reading
    const isIdle = (): boolean => [...this.#keys.values()].every((key) => key.isIdle)
    do {
      await this.#changes.when(isIdle, { what: 'the drain', signal: this.#revoked.signal })
      await this.#commits.flush()
    } while (!isIdle())
    this.revoke()
  }

  /** Lets go of everything at once. */
  revoke(): void {
    this.#stopped.abort()
    this.#commits.end(new StreamError('STREAM_REVOKED', `Partition ${this.#setup.partition} is read anew from what is durable.`))
    this.#revoked.abort()
  }

  async #read(): Promise<void> {
    const { signal } = this.#stopped
    try {
      for (;;) {
        const record = await this.#nextRecord()
        await this.#take(record)
        this.#next = record.offset + 1
        this.#streams.onChange()
      }
    } catch (error) {
      if (!signal.aborted) this.#setup.onFailure(error)
    }
  }

  async #nextRecord(): Promise<ReadRecord> {
    this.#isWaiting = this.#queue.isEmpty
    await this.#when(() => !this.#queue.isEmpty)
    this.#isWaiting = false
    const record = this.#queue.shift()
    if (record === undefined) throw new Error('A queue that holds something gives something.')
    this.#setup.onTaken()
    return record
  }

  async #take(record: ReadRecord): Promise<void> {
    this.#clock.take(record)
    const clockMs = this.#clock.nowMs
    this.#closeSilent((key) => key.silenceMs({ clockMs }))
    if (this.#deadLetters.has(record.offset)) return
    try {
      const message = this.#readMessage(record)
      const key = this.#keyOf(message.streamId)
      this.#taking = key
      if (key.isPast(record.offset)) return
      if (message.kind === 'frame') await this.#takeFrame(key, message, record)
      else await this.#takeVideo(key, message, record)
      key.taken({ offset: record.offset, clockMs, nowMs: this.#setup.now() })
    } catch (error) {
      throwIfAborted(this.#stopped.signal, 'Reading')
      const failure = asStreamError(error, 'MESSAGE_INVALID', `Message ${record.offset}`)
      if (!isPoison(failure)) throw failure
      await this.#when(() => this.#deadLetters.hasRoom)
      this.#deadLetters.bury(record, failure)
    } finally {
      this.#taking = undefined
    }
  }

  #readMessage(record: ReadRecord): Message {
    const { offset, partition, topic, key, value, headers, timestampMs } = record
    const { maxMessageBytes } = this.#setup
    if ((value?.length ?? 0) > maxMessageBytes) {
      const message = `Message ${offset} of ${topic}[${partition}] has ${value?.length} bytes; \`maxMessageBytes\` is ${maxMessageBytes}.`
      throw new StreamError('MESSAGE_TOO_LARGE', message)
    }
    const numbers = { offset: BigInt(offset), timestamp: BigInt(timestampMs) }
    return readMessage({ ...{ topic, partition, headers }, ...numbers, key: key ?? undefined, value: value ?? undefined })
  }

  async #takeFrame(key: Key, message: FrameMessage, { offset }: ReadRecord): Promise<void> {
    const image = await decodeImage(message.bytes, { what: `The picture of message ${offset}` })
    const frame = { message, offset, image }
    if (key.frames === undefined) {
      // A key has one stream at a time, so that a restart finds the same ones.
      await this.#when(() => key.isThrough)
      this.#setup.onStream(key.beginFrames(frame).stream)
    }
    await key.frames?.take(frame, this.#stopped.signal)
  }

  async #takeVideo(key: Key, message: Exclude<Message, FrameMessage>, record: ReadRecord): Promise<void> {
    key.close()
    await this.#when(() => !key.hasFrames)
    await this.#when(() => this.#videos() < MOST_VIDEOS)
    const onPoison = (error: StreamError): void => {
      this.#deadLetters.bury(record, error)
    }
    const video = openVideo(message, this.#setup.videos)
    this.#setup.onStream(key.beginVideo({ message, offset: record.offset, video, onPoison }).stream)
  }

  #videos(): number {
    return [...this.#keys.values()].reduce((sum, { videos }) => sum + videos, 0)
  }

  #closeSilent(silenceMs: (key: Key) => number): void {
    for (const key of this.#keys.values()) if (silenceMs(key) >= this.#setup.windowIdleMs) key.close()
  }

  #keyOf(streamId: string): Key {
    const key = this.#keys.get(streamId) ?? new Key(streamId, this.#streams, { nowMs: this.#setup.now() })
    this.#keys.set(streamId, key)
    return key
  }

  #transactionOf(streamId: string): Pick<StreamInfo, 'transaction'> {
    const { isExactlyOnce, cluster } = this.#setup
    if (!isExactlyOnce) return {}
    return {
      transaction: {
        cluster,
        publish: ({ records, receipt, entry }) =>
          this.#commits.publish({ records, delivery: { streamId, receipt, entry } }),
      },
    }
  }

  #progress(publications: readonly Publication[]): PartitionProgress {
    const settled = publications.flatMap(({ settles }) => settles ?? [])
    const found = [...this.#keys].map(([streamId, key]) => {
      const own = publications.flatMap(({ delivery }) => (delivery?.streamId === streamId ? [delivery] : []))
      return { streamId, key, ...key.progress(new Map(own.map(({ receipt, entry }) => [receipt, entry]))) }
    })
    const offset = Math.min(this.#next, ...this.#deadLetters.dying(settled), ...found.flatMap(({ need }) => need ?? []))
    const states = new Map(
      found.map(({ streamId, key, state }) => [streamId, key.isOverAt(offset) ? null : encodeState(state)] as const),
    )
    for (const { streamId, key } of found) {
      if (key !== this.#taking && key.isOverAt(offset)) this.#keys.delete(streamId)
    }
    states.set(CLOCK_KEY, encodeClock(this.#clock.at(offset)))
    states.set(DEAD_LETTERS_KEY, encodeDeadLetters(this.#deadLetters.deadFrom(offset, settled)))
    return { offset, states }
  }

  /** Resolves once the condition is met. Rejects with `ABORTED` where no message is to be taken any more. */
  #when(isMet: () => boolean): Promise<void> {
    return this.#changes.when(isMet, { what: 'messages', signal: this.#stopped.signal })
  }
}
