import kafkajs from 'kafkajs'
import type { ICustomPartitioner, Kafka, Message, Producer, ProducerConfig } from 'kafkajs'

/** What differs between producers. */
export type ProducerSettings = Pick<ProducerConfig, 'transactionalId' | 'transactionTimeout' | 'retry'>

/** The partition of each message, for as long as somebody holds the message. */
const partitions = new WeakMap<Message, number>()

/** Makes an idempotent producer that has one request under way, makes no topics, and tells where it puts messages. */
export function createProducer(kafka: Kafka, settings: ProducerSettings): Producer {
  return kafka.producer({
    ...settings,
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: steadyPartitioner },
  })
}

/**
 * Chooses as every client does (Java's too), but once: the client asks anew each time it tries again, and where the
 * topic was widened meanwhile, the message would go to a second partition.
 */
export const steadyPartitioner: ICustomPartitioner = () => {
  const choose = kafkajs.Partitioners.DefaultPartitioner()
  return (choice) => {
    const partition = partitions.get(choice.message) ?? choose(choice)
    partitions.set(choice.message, partition)
    return partition
  }
}

/** Where a message was put; undefined: nowhere yet. */
export function partitionOf(message: Message): number | undefined {
  return partitions.get(message)
}
