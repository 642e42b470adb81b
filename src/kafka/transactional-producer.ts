import type { Kafka, Producer } from 'kafkajs'

import { kafkaError } from './kafka-errors.js'
import { createProducer } from './producer.js'
import { sendRecords } from './send-records.js'
import type { ProducedRecord } from './send-records.js'

/** What becomes visible at once. */
export interface TransactionContent {
  readonly records: readonly ProducedRecord[]
  /** How far the group has read: the next offset to read, by topic and partition. */
  readonly progress?: { readonly topic: string; readonly partition: number; readonly offset: number }
}

/** Commits transactions under one transactional id. A later producer of the same id fences this one off for good. */
export interface TransactionalProducer {
  /**
   * Commits one transaction. After a rejection the producer is of no use any more, and whether the transaction
   * was committed is not known: whoever makes the next producer of the id finds out.
   *
   * @throws {StreamError} `KAFKA_FAILED`, `KAFKA_UNAUTHORIZED`, `KAFKA_TOO_LARGE`, `KAFKA_CODEC_MISSING`.
   */
  commit(content: TransactionContent): Promise<void>
  /** Once the transaction that is under way has ended. */
  close(): Promise<void>
}

/** How a producer is made. */
export interface TransactionalProducerSetup {
  readonly transactionalId: string
  readonly groupId: string
  readonly transactionTimeoutMs: number
}

/**
 * Makes a producer: fences off any other one of the id, and completes or aborts what that one left open.
 *
 * @throws {StreamError} As `commit`.
 */
export async function openTransactionalProducer(
  kafka: Kafka,
  { transactionalId, groupId, transactionTimeoutMs }: TransactionalProducerSetup,
): Promise<TransactionalProducer> {
  const producer = createProducer(kafka, {
    ...{ transactionalId, transactionTimeout: transactionTimeoutMs },
    // Patience beyond this is the caller's, who begins anew with what is durable.
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 6 },
  })
  try {
    await producer.connect()
    await fence(producer)
  } catch (error) {
    await producer.disconnect().catch(() => undefined)
    throw kafkaError(`The producer ${transactionalId} could not begin`, error)
  }
  let underWay: Promise<void> = Promise.resolve()
  return {
    commit: (content) => {
      const committing = commit(producer, groupId, content).catch((error: unknown) => {
        throw kafkaError(`A transaction of ${transactionalId} failed`, error)
      })
      underWay = committing.catch(() => undefined)
      return committing
    },
    close: async () => {
      // Disconnected in the middle of a request, the client would connect again for it, and forget that.
      await underWay
      await producer.disconnect()
    },
  }
}

/** Asks for the id, which is what fences off; the client would do so with the first record. Nothing is begun or aborted. */
async function fence(producer: Producer): Promise<void> {
  const transaction = await producer.transaction()
  await transaction.abort()
}

async function commit(producer: Producer, groupId: string, { records, progress }: TransactionContent): Promise<void> {
  const transaction = await producer.transaction()
  try {
    await sendRecords(transaction, records)
    if (progress !== undefined) {
      const { topic, partition, offset } = progress
      const topics = [{ topic, partitions: [{ partition, offset: String(offset) }] }]
      await transaction.sendOffsets({ consumerGroupId: groupId, topics })
    }
    await transaction.commit()
  } catch (error) {
    if (transaction.isActive()) await transaction.abort().catch(() => undefined)
    throw error
  }
}
