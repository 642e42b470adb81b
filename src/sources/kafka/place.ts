import type { Kafka } from 'kafkajs'

import { abortError, throwIfAborted } from '../../errors.js'
import type { GroupReader, ReadBatch, ReadRecord } from '../../kafka/group-reader.js'
import type { Topics } from '../../kafka/topics.js'
import { openTransactionalProducer } from '../../kafka/transactional-producer.js'
import type { TransactionalProducer } from '../../kafka/transactional-producer.js'
import { readDurable } from './opening.js'
import { PartitionLife } from './partition.js'
import type { PartitionSettings } from './partition.js'
import type { FrameStream } from '../source.js'

/** Bytes of a partition that may wait to be taken before it is read no further. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

/** What all partitions of a member are read with. */
export interface PlaceSetup {
  readonly kafka: Kafka
  readonly settings: PartitionSettings & {
    readonly groupId: string
    readonly transactionalIdPrefix: string
    readonly transactionTimeoutMs: number
    readonly startFrom: 'earliest' | 'latest'
  }
  readonly onStream: (stream: FrameStream) => void
  /** Milliseconds, never falling; stands still while no broker is heard. */
  readonly now: () => number
  /** Aborted when no message is to be taken any more. */
  readonly stop: AbortSignal
  /** The member as it is now: another one after a crash of the client. */
  readonly reader: () => Pick<GroupReader, 'seek' | 'pause' | 'resume'>
  readonly topics: () => Topics
  /** Whether a partition is still this place's; it may have gone and come back, to another. */
  readonly isCurrent: (place: KafkaPlace) => boolean
  /** Work that must be over before the source is. */
  readonly onClosing: (closing: Promise<void>) => void
}

/** A partition of this member: being opened, read, or opened again after a failed transaction. */
export class KafkaPlace {
  readonly partition: number
  /** Aborted when it is this member's no longer. */
  readonly #gone = new AbortController()
  readonly #setup: PlaceSetup
  #life: PartitionLife | undefined
  /** Takes the records of the state topic while they are read. */
  #onState: ((records: readonly ReadRecord[]) => void) | undefined
  #isPaused = true

  constructor(partition: number, setup: PlaceSetup) {
    this.partition = partition
    this.#setup = setup
  }

  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** What is read of it now; undefined while it is opened. */
  get life(): PartitionLife | undefined {
    return this.#life
  }

  /**
   * One life: fences off whoever had the partition before, reads what is durable, and goes on from there. Rejects
   * with what ended it.
   *
   * @param onProgress Called after each transaction.
   */
  async live(onProgress: () => void): Promise<never> {
    const { kafka, settings, reader, isCurrent, onClosing } = this.#setup
    const { topic, groupId, transactionalIdPrefix, transactionTimeoutMs } = settings
    const producer = await openTransactionalProducer(kafka, {
      ...{ transactionalId: `${transactionalIdPrefix}-${this.partition}`, groupId, transactionTimeoutMs },
    })
    try {
      return await this.#liveWith(producer, onProgress)
    } finally {
      if (isCurrent(this)) reader().pause(topic, this.partition)
      this.#isPaused = true
      this.#life?.revoke()
      this.#life = undefined
      onClosing(producer.close())
    }
  }

  /** Hands records over to whoever waits for them. */
  pass({ topic, records }: ReadBatch): void {
    if (topic === this.#setup.settings.stateTopic) this.#onState?.(records)
    else this.#take(records)
  }

  /** Lets go of everything at once. */
  giveUp(): void {
    this.#life?.revoke()
    this.#gone.abort()
  }

  async #liveWith(producer: TransactionalProducer, onProgress: () => void): Promise<never> {
    const { settings, onStream, now, stop, reader } = this.#setup
    throwIfAborted(this.gone, 'Reading')
    const durable = await readDurable({
      ...{ ...settings, partition: this.partition, producer, topics: this.#setup.topics(), reader: reader(), signal: this.gone },
      handOver: (take) => (this.#onState = take),
    })
    for (const signal of [this.gone, stop]) throwIfAborted(signal, 'Reading')
    const ended = this.#whenGone()
    const commit = async (content: Parameters<TransactionalProducer['commit']>[0]): Promise<void> => {
      await producer.commit(content)
      onProgress()
    }
    const onTaken = (): void => {
      this.#resumeIfRoom()
    }
    this.#life = new PartitionLife({
      ...{ ...settings, ...durable, partition: this.partition, now, onStream, commit, onTaken, onFailure: ended.reject },
    })
    reader().seek(settings.topic, this.partition, durable.offset)
    this.#isPaused = false
    reader().resume(settings.topic, this.partition)
    return ended.promise
  }

  /** A promise that only ever rejects: when the partition is taken away, or before. */
  #whenGone(): { readonly promise: Promise<never>; readonly reject: (error: unknown) => void } {
    let reject: (error: unknown) => void = () => undefined
    const promise = new Promise<never>((_, fail) => (reject = fail))
    promise.catch(() => undefined)
    this.gone.addEventListener('abort', () => {
      reject(abortError('Reading'))
    }, { once: true })
    return { promise, reject }
  }

  #take(records: readonly ReadRecord[]): void {
    if (this.#life === undefined) return
    this.#life.push(records)
    if (this.#life.waitingBytes <= MOST_WAITING_BYTES || this.#isPaused) return
    this.#isPaused = true
    this.#setup.reader().pause(this.#setup.settings.topic, this.partition)
  }

  #resumeIfRoom(): void {
    if (!this.#isPaused || this.#life === undefined || this.#life.waitingBytes > MOST_WAITING_BYTES / 2) return
    this.#isPaused = false
    this.#setup.reader().resume(this.#setup.settings.topic, this.partition)
  }
}
