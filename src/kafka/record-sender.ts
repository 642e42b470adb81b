import { setTimeout as delay } from 'node:timers/promises'

import type { Kafka, Producer } from 'kafkajs'

import type { OutgoingRecord } from '../delivery.js'
import { throwIfAborted } from '../errors.js'
import { closeClient } from './client-sockets.js'
import { isPassing, kafkaError } from './kafka-errors.js'
import { createProducer } from './producer.js'
import { requestsByKey, sendRequest } from './send-records.js'
import type { SendRequest } from './send-records.js'
import { openTopics } from './topics.js'

/** Sends records one call after the other, each until all in-sync replicas have it. */
export interface RecordSender {
  /** Connects, and looks whether the topics are there. @throws {StreamError} `KAFKA_*`. */
  open(topics: readonly string[]): Promise<void>
  /**
   * Resolves when the records are stored. Brokers that are away are waited for, for ever; what can't become better
   * rejects.
   *
   * @throws {StreamError} `KAFKA_UNAUTHORIZED`, `KAFKA_TOPIC_UNKNOWN`, `KAFKA_TOO_LARGE`, `KAFKA_CODEC_MISSING`;
   * `ABORTED`: by the signal or by `close`, and whether they were stored isn't known.
   */
  send(records: readonly OutgoingRecord[], signal?: AbortSignal): Promise<void>
  /** Lets go of what is being sent, and of the connection. */
  close(): Promise<void>
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000

/** Makes a sender, whose client is its own: closed with it. Nothing is connected before its first use. */
export function createRecordSender(kafka: Kafka): RecordSender {
  return new Sender(kafka)
}

class Sender implements RecordSender {
  readonly #kafka: Kafka
  readonly #closed = new AbortController()
  /** Topics that are known to be there. */
  readonly #topics = new Set<string>()
  #producer: Producer | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(kafka: Kafka) {
    this.#kafka = kafka
  }

  open(topics: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#connect(topics)
      } catch (error) {
        throw kafkaError('Kafka could not be reached', error)
      }
    })
  }

  send(records: readonly OutgoingRecord[], signal?: AbortSignal): Promise<void> {
    const stops = [this.#closed.signal, ...(signal === undefined ? [] : [signal])]
    return this.#inTurn(async () => {
      throwIfAnyAborted(stops)
      try {
        for (const request of requestsByKey(records)) await this.#sendUntilStored(request, stops)
      } catch (error) {
        // The client would give their sequence numbers to the next records, and brokers take those for repetitions.
        await this.#disconnect()
        throw error
      }
    })
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.#last
    await this.#disconnect()
    closeClient(this.#kafka)
  }

  /** One at a time: see `send`. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  async #sendUntilStored(request: SendRequest, stops: AbortSignal[]): Promise<void> {
    const topics = [...new Set(request.records.map(({ topic }) => topic))]
    for (let attempt = 0; ; attempt += 1) {
      throwIfAnyAborted(stops)
      try {
        await sendRequest(await this.#connect(topics), request)
        return
      } catch (cause) {
        const error = kafkaError(`Records could not be sent to ${topics.join(', ')}`, cause)
        if (!error.canRetry) throw error
        this.#topics.clear()
        // Kept, the producer sends them under the same sequence numbers: brokers that have them already notice.
        if (!isPassing(cause)) await this.#disconnect()
      }
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random() / 2)
      // Only here: Node 20 and 22 keep something of each `any` for as long as the sender lives, which is weeks.
      await delay(pauseMs, undefined, { signal: AbortSignal.any(stops) }).catch(() => undefined)
    }
  }

  async #connect(topics: readonly string[]): Promise<Producer> {
    await this.#lookFor(topics.filter((topic) => !this.#topics.has(topic)))
    if (this.#producer !== undefined) return this.#producer
    // Few tries and short ones, as nothing ends them: patience is ours.
    const producer = createProducer(this.#kafka, { retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 4 } })
    this.#producer = producer
    try {
      await producer.connect()
    } catch (error) {
      await this.#disconnect()
      throw error
    }
    return producer
  }

  /** The client takes a topic that isn't there for one that is about to come. */
  async #lookFor(unknown: readonly string[]): Promise<void> {
    if (unknown.length === 0) return
    const topics = await openTopics(this.#kafka)
    try {
      for (const topic of unknown) {
        await topics.partitionsOf(topic)
        this.#topics.add(topic)
      }
    } finally {
      await topics.close()
    }
  }

  async #disconnect(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.disconnect().catch(() => undefined)
  }
}

function throwIfAnyAborted(stops: readonly AbortSignal[]): void {
  for (const stop of stops) throwIfAborted(stop, 'Sending')
}
