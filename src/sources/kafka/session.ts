import { setTimeout as delay } from 'node:timers/promises'

import type { Kafka } from 'kafkajs'

import { StreamError } from '../../errors.js'
import { closeClient } from '../../kafka/client-sockets.js'
import { openGroupReader } from '../../kafka/group-reader.js'
import type { GroupReader } from '../../kafka/group-reader.js'
import type { Topics } from '../../kafka/topics.js'
import { openTopics } from '../../kafka/topics.js'
import { HeardClock } from './heard-clock.js'
import { KafkaPlace } from './place.js'
import type { PlaceSetup } from './place.js'
import type { PartitionSettings } from './partition.js'
import type { FrameStream, SourceContext } from '../source.js'

/** What a session reads. */
export interface SessionSettings extends PartitionSettings {
  readonly groupId: string
  readonly transactionalIdPrefix: string
  readonly transactionTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly maxBytesPerPartition: number
  readonly startFrom: 'earliest' | 'latest'
}

const LONGEST_PAUSE_MS = 10_000
const FIRST_PAUSE_MS = 200
const LAG = 'kafka-lag'
/** The lag of a partition is no longer this process's. */
const LAG_OVER = 'kafka-lag-over'
const LAG_EVERY_MS = 5_000
/** Longest time between two answers of brokers that are there: each waits 0.2 s for records. */
const LONGEST_SILENCE_MS = 2_000

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
  readonly #placeSetup: PlaceSetup
  readonly #places = new Map<number, KafkaPlace>()
  #reader: GroupReader | undefined
  #topics: Topics | undefined
  /** How many partitions the topic is known to have. */
  #partitions = 0
  /** A broker that is away is no silent camera. */
  readonly #heard = new HeardClock(LONGEST_SILENCE_MS)
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
    this.#placeSetup = {
      ...{ kafka, settings: { ...settings, notify: context.notify }, onStream, stop: context.stop, now: () => this.#heard.nowMs },
      reader: () => there(this.#reader),
      topics: () => there(this.#topics),
      isCurrent: (place) => this.#places.get(place.partition) === place,
      onClosing: (closing) => {
        this.#later(closing)
      },
    }
    this.#failed = new Promise((_, reject) => (this.#fail = reject))
    this.#failed.catch(() => undefined)
  }

  /** Reads until `stop` and then drains; or until `halted`, which lets go of everything. Rejects with `KAFKA_*`. */
  async run(halted: AbortSignal): Promise<void> {
    const { stop } = this.#context
    const leave = this.#attend()
    try {
      await this.#open(halted)
      await Promise.race([whenAborted(stop), whenAborted(halted), this.#failed])
      if (!halted.aborted) await Promise.race([this.#drain(), whenAborted(halted), this.#failed])
    } finally {
      leave()
      await this.#close()
    }
  }

  /** What is done beside reading, until the function that it returns is called. */
  #attend(): () => void {
    const { stop } = this.#context
    const stopTaking = (): void => {
      for (const { life } of this.#places.values()) life?.stopTaking()
    }
    // At once: whoever reads the streams is let go of at the same moment.
    stop.addEventListener('abort', stopTaking)
    let isAsking = false
    const lagTimer = setInterval(() => {
      if (isAsking || stop.aborted) return
      isAsking = true
      void this.#tellLag().finally(() => (isAsking = false))
    }, LAG_EVERY_MS)
    const idleTimer = setInterval(() => {
      for (const { life } of this.#places.values()) life?.closeSilent()
    }, Math.max(10, Math.min(1000, this.#settings.windowIdleMs / 4)))
    return () => {
      clearInterval(lagTimer)
      clearInterval(idleTimer)
      stop.removeEventListener('abort', stopTaking)
    }
  }

  async #open(halted: AbortSignal): Promise<void> {
    const { stop } = this.#context
    for (let attempt = 0; !stop.aborted && !halted.aborted; attempt += 1) {
      try {
        this.#topics ??= await openTopics(this.#kafka)
        await this.#prepareTopics()
        await this.#join()
        return
      } catch (error) {
        if (!(error instanceof StreamError) || !error.canRetry) throw error
        await this.#pause('the cluster is not there yet', { attempt, error, signal: AbortSignal.any([stop, halted]) })
      }
    }
  }

  async #prepareTopics(): Promise<void> {
    const { topic, stateTopic, deadLetterTopic } = this.#settings
    const topics = there(this.#topics)
    // Found at the first message that can't be used, it would be too late.
    if (deadLetterTopic !== undefined) await topics.partitionsOf(deadLetterTopic)
    const partitions = await topics.partitionsOf(topic)
    await topics.ensureCompacted(stateTopic, partitions)
    this.#partitions = partitions
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
        this.#places.get(batch.partition)?.pass(batch)
      },
      onRestart: ({ code, message }) => {
        this.#context.notify({ kind: 'kafka-retry', message: 'the consumer begins anew', fields: { code, reason: message } })
      },
      onGap: ({ partition, expected, found }) => {
        const fields = { partition, expected, found, lost: Math.max(0, found - expected) }
        this.#context.notify({ kind: 'messages-expired', message: 'messages were deleted before they were read', fields })
      },
      onFetched: () => {
        this.#heard.heard()
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
    const isOver = (): boolean => signal.aborted
    for (let attempt = 0, cause = error; !isOver(); attempt += 1) {
      await this.#pause('the consumer group was lost', { attempt, error: cause, signal })
      // A member that joins while everything ends would only hold that up.
      if (isOver()) return
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
    const place = new KafkaPlace(partition, this.#placeSetup)
    this.#places.set(partition, place)
    const isGone = (): boolean => [place.gone, this.#context.stop, this.#over.signal].some(({ aborted }) => aborted)
    for (let attempt = 0; !isGone(); attempt += 1) {
      try {
        // Partitions that were added to the topic need theirs of the state topic.
        if (partition >= this.#partitions) await this.#prepareTopics()
        await place.live(() => (attempt = 0))
      } catch (error) {
        if (isGone() || isAbort(error)) return
        if (!(error instanceof StreamError) || !error.canRetry) {
          this.#fail(error)
          return
        }
        await this.#pause('a partition is opened again', { attempt, error, signal: place.gone, partition })
      }
    }
  }

  #giveUp(partition: number): void {
    const place = this.#places.get(partition)
    this.#places.delete(partition)
    place?.giveUp()
    const fields = { topic: this.#settings.topic, partition }
    this.#context.notify({ kind: LAG_OVER, message: 'a partition is read here no longer', fields })
  }

  /** Says how far each partition is behind. While brokers are away that can't be known: `kafka-retry` tells of them. */
  async #tellLag(): Promise<void> {
    const { topic } = this.#settings
    const ends = await this.#topics?.ends(topic).catch(() => undefined)
    for (const [partition, { life }] of this.#places) {
      const end = ends?.get(partition)
      if (life === undefined || end === undefined) continue
      const fields = { topic, partition, lag: Math.max(0, end - life.nextOffset) }
      this.#context.notify({ kind: LAG, message: 'messages behind the end of a partition', fields })
    }
  }

  async #drain(): Promise<void> {
    await Promise.all(
      [...this.#places.values()].map(async ({ life, gone }) => {
        await life?.drain().catch((error: unknown) => {
          // Whoever reads the partition next goes on from what is durable: nothing is lost, and nothing else to be done.
          if (!gone.aborted && !isAbort(error)) throw error
        })
      }),
    )
  }

  async #close(): Promise<void> {
    this.#over.abort()
    for (const partition of [...this.#places.keys()]) this.#giveUp(partition)
    while (this.#closing.size > 0) await Promise.all(this.#closing)
    await Promise.allSettled([this.#reader?.close(), this.#topics?.close()])
    closeClient(this.#kafka)
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

/** The connections that come before everything else. */
function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('It is opened before it is asked for.')
  return value
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
