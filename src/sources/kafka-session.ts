import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import type { Kafka } from 'kafkajs'

import { StreamError, abortError, throwIfAborted } from '../errors.js'
import { openGroupReader } from '../kafka/group-reader.js'
import type { GroupReader, ReadBatch, ReadRecord } from '../kafka/group-reader.js'
import type { Topics } from '../kafka/topics.js'
import { openTopics } from '../kafka/topics.js'
import { openTransactionalProducer } from '../kafka/transactional-producer.js'
import type { TransactionalProducer } from '../kafka/transactional-producer.js'
import { PartitionLife } from './kafka-partition.js'
import type { PartitionSettings } from './kafka-partition.js'
import type { FrameStream, SourceContext } from './source.js'

/** What a session reads. */
export interface SessionSettings extends PartitionSettings {
  readonly groupId: string
  readonly transactionalIdPrefix: string
  readonly transactionTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly maxBytesPerPartition: number
  readonly startFrom: 'earliest' | 'latest'
}

/** Bytes of a partition that may wait to be taken before it is read no further. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024
const LONGEST_PAUSE_MS = 10_000
const FIRST_PAUSE_MS = 200

/** Marks the end of what was written before: key of a record in the state topic; no stream's id holds a control character. */
const MARKER_KEY = '\u0000opened'

/** A partition of this member: being opened, read, or opened again after a failed transaction. */
interface Place {
  readonly partition: number
  /** Aborted when it is this member's no longer. */
  readonly gone: AbortController
  life?: PartitionLife
  /** Takes the records of the state topic while they are read. */
  onState?: (records: readonly ReadRecord[]) => void
  isPaused: boolean
}

/**
 * A member of a consumer group at work: opens the partitions it is given, and closes those that are taken away.
 *
 * Opening a partition is the one way to begin, whether after a start, a rebalance or a failed transaction: fence
 * off whoever had it before, then read what is durable, then go on from there.
 */
export class KafkaSession {
  readonly #kafka: Kafka
  readonly #settings: SessionSettings
  readonly #context: SourceContext
  readonly #onStream: (stream: FrameStream) => void
  readonly #places = new Map<number, Place>()
  #reader: GroupReader | undefined
  #topics: Topics | undefined
  /** What must have ended before the session has. */
  readonly #closing = new Set<Promise<void>>()
  /** Aborted when nothing is to be opened any more. */
  readonly #over = new AbortController()
  /** Ends the session with an error that trying again doesn't mend. */
  #fail: (error: unknown) => void = () => undefined
  readonly #failed: Promise<never>

  constructor(
    kafka: Kafka,
    settings: SessionSettings,
    { context, onStream }: { context: SourceContext; onStream: (stream: FrameStream) => void },
  ) {
    this.#kafka = kafka
    this.#settings = settings
    this.#context = context
    this.#onStream = onStream
    this.#failed = new Promise((_, reject) => (this.#fail = reject))
    this.#failed.catch(() => undefined)
  }

  /** Reads until `stop` and then drains; or until `halted`, which lets go of everything. Rejects with `KAFKA_*`. */
  async run(halted: AbortSignal): Promise<void> {
    const { stop } = this.#context
    const idleTimer = setInterval(() => {
      for (const { life } of this.#places.values()) life?.closeSilent()
    }, Math.max(10, Math.min(1000, this.#settings.windowIdleMs / 4)))
    try {
      await this.#open(halted)
      await Promise.race([whenAborted(stop), whenAborted(halted), this.#failed])
      if (!halted.aborted) await Promise.race([this.#drain(), whenAborted(halted), this.#failed])
    } finally {
      clearInterval(idleTimer)
      await this.#close()
    }
  }

  async #open(halted: AbortSignal): Promise<void> {
    const { topic, stateTopic } = this.#settings
    const { stop } = this.#context
    for (let attempt = 0; !stop.aborted && !halted.aborted; attempt += 1) {
      try {
        this.#topics ??= await openTopics(this.#kafka)
        await this.#topics.ensureCompacted(stateTopic, await this.#topics.partitionsOf(topic))
        await this.#join()
        return
      } catch (error) {
        if (!(error instanceof StreamError) || !error.canRetry) throw error
        await this.#pause('the cluster is not there yet', { attempt, error, signal: AbortSignal.any([stop, halted]) })
      }
    }
  }

  async #join(): Promise<void> {
    this.#reader = await openGroupReader(this.#kafka, {
      ...this.#settings,
      onAssigned: (partitions, reader) => {
        // They are told of while it joins.
        this.#reader = reader
        for (const partition of partitions) this.#later(this.#keepOpen(partition))
      },
      onRevoked: (partitions) => {
        for (const partition of partitions) this.#giveUp(partition)
      },
      onBatch: (batch) => {
        this.#pass(batch)
      },
      onFailure: (error) => {
        if (error.canRetry) this.#later(this.#rejoin(error))
        else this.#fail(error)
      },
    })
  }

  /** The client has given up: begins with a new member. */
  async #rejoin(error: StreamError): Promise<void> {
    for (const partition of [...this.#places.keys()]) this.#giveUp(partition)
    const signal = AbortSignal.any([this.#context.stop, this.#over.signal])
    for (let attempt = 0, cause = error; !signal.aborted; attempt += 1) {
      await this.#pause('the consumer group was lost', { attempt, error: cause, signal })
      try {
        await this.#reader?.close().catch(() => undefined)
        await this.#join()
        return
      } catch (again) {
        if (!(again instanceof StreamError) || !again.canRetry) {
          this.#fail(again)
          return
        }
        cause = again
      }
    }
  }

  /** Opens a partition, and again after each failure, until it is this member's no longer. */
  async #keepOpen(partition: number): Promise<void> {
    const place: Place = { partition, gone: new AbortController(), isPaused: true }
    this.#places.set(partition, place)
    const { signal } = place.gone
    const isGone = (): boolean => [signal, this.#context.stop, this.#over.signal].some(({ aborted }) => aborted)
    for (let attempt = 0; !isGone(); attempt += 1) {
      try {
        await this.#live(place, () => (attempt = 0))
      } catch (error) {
        if (isGone() || isAbort(error)) return
        if (!(error instanceof StreamError) || !error.canRetry) {
          this.#fail(error)
          return
        }
        await this.#pause('a partition is opened again', { attempt, error, signal, partition })
      }
    }
  }

  /** One life of a partition. Rejects with what ended it. */
  async #live(place: Place, onOpen: () => void): Promise<never> {
    const { partition, gone } = place
    const { topic, groupId, transactionalIdPrefix, transactionTimeoutMs } = this.#settings
    const producer = await openTransactionalProducer(this.#kafka, {
      ...{ transactionalId: `${transactionalIdPrefix}-${partition}`, groupId, transactionTimeoutMs },
    })
    const over = new AbortController()
    try {
      throwIfAborted(gone.signal, 'Reading')
      const values = await this.#readStates(place, producer)
      const offset = await this.#startOffset(partition)
      let end: (error: unknown) => void = () => undefined
      const ended = new Promise<never>((_, reject) => (end = reject))
      ended.catch(() => undefined)
      throwIfAborted(gone.signal, 'Reading')
      const leave = (): void => {
        end(abortError('Reading'))
      }
      gone.signal.addEventListener('abort', leave, { signal: over.signal })
      place.life = new PartitionLife({
        ...this.#settings,
        ...{ partition, offset, values, now: () => performance.now(), onStream: this.#onStream },
        commit: (content) => producer.commit(content),
        onFailure: end,
        onTaken: () => {
          this.#resumeIfRoom(place)
        },
      })
      this.#reader?.seek(topic, partition, offset)
      place.isPaused = false
      this.#reader?.resume(topic, partition)
      onOpen()
      return await ended
    } finally {
      over.abort()
      // By now the partition may have come back, and be read by another life.
      if (this.#places.get(partition) === place) this.#reader?.pause(topic, partition)
      place.isPaused = true
      place.life?.revoke()
      delete place.life
      this.#later(producer.close())
    }
  }

  /** Reads a partition of the state topic up to a marker that is written now, behind everything there is. */
  async #readStates(place: Place, producer: TransactionalProducer): Promise<ReadonlyMap<string, string>> {
    const { stateTopic } = this.#settings
    const { partition, gone } = place
    const [marker, values] = [randomUUID(), new Map<string, string>()]
    await producer.commit({ records: [{ topic: stateTopic, partition, key: MARKER_KEY, value: marker, headers: {} }] })
    throwIfAborted(gone.signal, 'Reading the states')
    const isRead = new AbortController()
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        reject(abortError('Reading the states'))
      }
      gone.signal.addEventListener('abort', leave, { signal: isRead.signal })
      place.onState = (records) => {
        for (const { key, value } of records) {
          const name = key?.toString() ?? ''
          if (name === MARKER_KEY && value?.toString() === marker) resolve()
          else if (value === null) values.delete(name)
          else values.set(name, value.toString())
        }
      }
      this.#reader?.seek(stateTopic, partition, 0)
      this.#reader?.resume(stateTopic, partition)
    })
    isRead.abort()
    delete place.onState
    this.#reader?.pause(stateTopic, partition)
    return values
  }

  async #startOffset(partition: number): Promise<number> {
    const { groupId, topic, startFrom } = this.#settings
    const topics = this.#topics
    if (topics === undefined) throw new Error('Topics are opened before partitions.')
    const { begin, end } = await topics.bounds(topic, partition)
    const committed = await topics.committedOffset(groupId, topic, partition)
    if (committed === undefined) return startFrom === 'earliest' ? begin : end
    if (committed < begin) {
      const fields = { partition, committed, begin, lost: begin - committed }
      this.#context.notify({ kind: 'messages-expired', message: 'messages were deleted before they were read', fields })
    }
    return Math.max(committed, begin)
  }

  #pass({ topic, partition, records, endOffset }: ReadBatch): void {
    const place = this.#places.get(partition)
    if (topic === this.#settings.stateTopic) {
      place?.onState?.(records)
      return
    }
    const { life } = place ?? {}
    if (place === undefined || life === undefined) return
    life.push(records)
    const lag = endOffset - 1 - (records.at(-1)?.offset ?? endOffset - 1)
    this.#context.notify({ kind: 'kafka-lag', message: 'messages behind the end of a partition', fields: { topic, partition, lag } })
    if (life.waitingBytes > MOST_WAITING_BYTES && !place.isPaused) {
      place.isPaused = true
      this.#reader?.pause(topic, partition)
    }
  }

  #resumeIfRoom(place: Place): void {
    if (!place.isPaused || place.life === undefined || place.life.waitingBytes > MOST_WAITING_BYTES / 2) return
    place.isPaused = false
    this.#reader?.resume(this.#settings.topic, place.partition)
  }

  #giveUp(partition: number): void {
    const place = this.#places.get(partition)
    this.#places.delete(partition)
    place?.life?.revoke()
    place?.gone.abort()
  }

  async #drain(): Promise<void> {
    await Promise.all(
      [...this.#places.values()].map(async ({ life, gone }) => {
        await life?.drain().catch((error: unknown) => {
          // Whoever reads the partition next goes on from what is durable: nothing is lost, and nothing else to be done.
          if (!gone.signal.aborted && !isAbort(error)) throw error
        })
      }),
    )
  }

  async #close(): Promise<void> {
    this.#over.abort()
    for (const partition of [...this.#places.keys()]) this.#giveUp(partition)
    while (this.#closing.size > 0) await Promise.all(this.#closing)
    await Promise.allSettled([this.#reader?.close(), this.#topics?.close()])
  }

  #later(closing: Promise<void>): void {
    const closed = closing.catch(() => undefined).finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  /** Waits before the next attempt, longer each time, and says why. Returns early when the signal is aborted. */
  async #pause(
    message: string,
    { attempt, error, signal, partition }: { attempt: number; error: StreamError; signal: AbortSignal; partition?: number },
  ): Promise<void> {
    const delayMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random() / 2)
    const fields = { attempt, delayMs: Math.round(delayMs), code: error.code, reason: error.message }
    const where = partition === undefined ? {} : { partition }
    this.#context.notify({ kind: 'kafka-retry', message, fields: { ...fields, ...where } })
    await delay(delayMs, undefined, { signal }).catch(() => undefined)
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof StreamError && error.code === 'ABORTED'
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
  })
}
