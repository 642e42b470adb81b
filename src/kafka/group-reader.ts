import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'

import type { StreamError } from '../errors.js'
import { coPartitioned } from './co-partitioned.js'
import { kafkaError } from './kafka-errors.js'
import { onOffsetReset } from './offset-reset.js'
import type { OffsetGap } from './offset-reset.js'

/** A record as it was read. */
export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** In order; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
}

/** Records that came at once, and how far the partition goes. */
export interface ReadBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly ReadRecord[]
  /** The offset behind the partition's last record. */
  readonly endOffset: number
}

/** What a reader tells. */
export interface GroupReaderSetup {
  readonly groupId: string
  readonly topic: string
  /** Has as many partitions; partition n of both is read by the same member. */
  readonly stateTopic: string
  /** Most bytes of one partition in one answer of a broker; a larger record comes alone. */
  readonly maxBytesPerPartition: number
  readonly sessionTimeoutMs: number
  /** Partitions this member reads from now on. Nothing is read of them before `seek` and `resume`. */
  readonly onAssigned: (partitions: readonly number[], reader: GroupReader) => void
  /** Partitions that this member reads no longer. */
  readonly onRevoked: (partitions: readonly number[]) => void
  readonly onBatch: (batch: ReadBatch) => void
  /** A broker has answered, with records or without. */
  readonly onFetched: () => void
  /** Reading goes on elsewhere than expected, as the place isn't there any more. It is read next, where no seek comes first. */
  readonly onGap?: (gap: OffsetGap) => void
  /** The client gave up, leaves the group, and begins anew by itself. */
  readonly onRestart?: (error: StreamError) => void
  /** The reader has ended with an error that its own retries don't mend. */
  readonly onFailure: (error: StreamError) => void
}

/** A member of a consumer group. Reads, and commits nothing. */
export interface GroupReader {
  seek(topic: string, partition: number, offset: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /** Leaves the group. */
  close(): Promise<void>
}

/**
 * Joins a consumer group and reads its share of a topic's partitions, and of the state topic's beside them.
 *
 * Which partitions come and go is told by callbacks; whoever keeps one over a rebalance goes on where it was.
 *
 * @throws {StreamError} `KAFKA_*`.
 */
export async function openGroupReader(kafka: Kafka, setup: GroupReaderSetup): Promise<GroupReader> {
  const member = new Member(kafka, setup)
  try {
    await member.join()
  } catch (error) {
    await member.close()
    throw kafkaError(`The group ${setup.groupId} could not be joined`, error)
  }
  return member
}

class Member implements GroupReader {
  readonly #setup: GroupReaderSetup
  readonly #consumer: Consumer
  /** Partitions of this member. */
  #owned: ReadonlySet<number> = new Set()
  #isClosed = false
  /** Whether the client is in the group, or is joining it again. */
  #hasGroup = false
  /** The next offset to read of each topic and partition, and whether it is wanted now. */
  readonly #places = new Map<string, { offset?: number; isPaused: boolean }>()

  constructor(kafka: Kafka, setup: GroupReaderSetup) {
    this.#setup = setup
    this.#consumer = kafka.consumer({
      ...{ groupId: setup.groupId, sessionTimeout: setup.sessionTimeoutMs, allowAutoTopicCreation: false },
      heartbeatInterval: Math.floor(setup.sessionTimeoutMs / 10),
      rebalanceTimeout: Math.max(60_000, setup.sessionTimeoutMs),
      maxBytesPerPartition: setup.maxBytesPerPartition,
      maxWaitTimeInMs: 200,
      // Partitions that are added are noticed by then.
      metadataMaxAge: 10_000,
      partitionAssigners: [
        (parts) => {
          onOffsetReset(parts.cluster, (gap) => {
            this.#skip(gap)
          })
          return coPartitioned(setup, () => [...this.#owned])(parts)
        },
      ],
      retry: {
        ...{ initialRetryTime: 100, maxRetryTime: 2_000, retries: 10 },
        // It starts again by itself, for as long as there is hope.
        restartOnFailure: (error) => Promise.resolve(!this.#isClosed && this.#errorOf(error).canRetry),
      },
    })
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#take(payload.memberAssignment[setup.topic] ?? [])
    })
    this.#consumer.on(this.#consumer.events.FETCH, () => {
      setup.onFetched()
    })
    this.#consumer.on(this.#consumer.events.STOP, () => (this.#hasGroup = false))
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (restart) setup.onRestart?.(this.#errorOf(error))
      else setup.onFailure(this.#errorOf(error))
    })
  }

  #errorOf(error: unknown): StreamError {
    return kafkaError(`The group ${this.#setup.groupId} can't be read with`, error)
  }

  async join(): Promise<void> {
    const { topic, stateTopic } = this.#setup
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [topic, stateTopic], fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload) => {
        this.#pass(payload)
        return Promise.resolve()
      },
    })
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#place(topic, partition).offset = offset
    this.#tellClient((consumer) => {
      consumer.seek({ topic, partition, offset: String(offset) })
    })
  }

  pause(topic: string, partition: number): void {
    this.#place(topic, partition).isPaused = true
    this.#tellClient((consumer) => {
      consumer.pause([{ topic, partitions: [partition] }])
    })
  }

  resume(topic: string, partition: number): void {
    this.#place(topic, partition).isPaused = false
    this.#tellClient((consumer) => {
      consumer.resume([{ topic, partitions: [partition] }])
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#consumer.disconnect()
  }

  /** Between a crash of the client and its restart there is no group to tell: then `#restore` does, once it has joined again. */
  #tellClient(tell: (consumer: Consumer) => void): void {
    try {
      tell(this.#consumer)
    } catch (error) {
      if (this.#hasGroup) throw error
    }
  }

  #place(topic: string, partition: number): { offset?: number; isPaused: boolean } {
    const key = `${topic}/${partition}`
    const known = this.#places.get(key) ?? { isPaused: true }
    this.#places.set(key, known)
    return known
  }

  /** Takes a new share. Runs before anything is fetched, as the client emits the event while it joins. */
  #take(share: readonly number[]): void {
    const { topic, stateTopic, onAssigned, onRevoked } = this.#setup
    this.#hasGroup = true
    const [before, now] = [this.#owned, new Set(share)]
    const gone = [...before].filter((partition) => !now.has(partition))
    const added = share.filter((partition) => !before.has(partition))
    this.#owned = now
    for (const name of [topic, stateTopic]) {
      for (const partition of gone) this.#places.delete(`${name}/${partition}`)
      for (const partition of added) this.pause(name, partition)
      // The client goes back to the committed offsets: whoever keeps a partition has read on.
      for (const partition of share) this.#restore(name, partition)
    }
    if (gone.length > 0) onRevoked(gone)
    if (added.length > 0) onAssigned(added, this)
  }

  #restore(topic: string, partition: number): void {
    const { offset, isPaused } = this.#place(topic, partition)
    if (isPaused) this.#consumer.pause([{ topic, partitions: [partition] }])
    if (offset !== undefined) this.#consumer.seek({ topic, partition, offset: String(offset) })
  }

  /** The state topic is read from offset 0 on, wherever it begins. */
  #skip(gap: OffsetGap): void {
    const place = this.#place(gap.topic, gap.partition)
    // A seek that came meanwhile is for another place.
    if ((place.offset ?? 0) <= gap.expected) place.offset = gap.found
    if (gap.topic === this.#setup.topic) this.#setup.onGap?.(gap)
  }

  #pass(payload: EachBatchPayload): void {
    const { batch } = payload
    const { topic, partition } = batch
    // It was fetched before a seek: it comes again.
    if (payload.isStale()) return
    const place = this.#place(topic, partition)
    place.offset = Number(batch.lastOffset()) + 1
    const records = batch.messages.map((message) => readRecord(message, topic, partition))
    this.#setup.onBatch({ topic, partition, records, endOffset: Number(batch.highWatermark) })
  }
}

function readRecord({ offset, timestamp, key, value, headers }: KafkaMessage, topic: string, partition: number): ReadRecord {
  return {
    ...{ topic, partition, offset: Number(offset), timestampMs: Number(timestamp), key, value },
    headers: Object.entries(headers ?? {}).flatMap(([name, values]) =>
      [values ?? []].flat().map((each) => [name, Buffer.from(each)] as const),
    ),
  }
}
