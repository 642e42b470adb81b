import { createRequire } from 'node:module'

import type { Message, Producer, ProducerBatch } from 'kafkajs'
import { describe, expect, test } from 'vitest'

import { steadyPartitioner } from '../../src/kafka/producer.js'
import { requestsByKey, sendRecords, sendRequest } from '../../src/kafka/send-records.js'
import type { ProducedRecord } from '../../src/kafka/send-records.js'

const load = createRequire(import.meta.url)
/** The client's own code, which the fakes below surround. */
const createSendMessages = load('kafkajs/src/producer/sendMessages.js') as (setup: object) => Producer['sendBatch']
const createRetry = load('kafkajs/src/retry/index.js') as (options: object) => unknown
const { KafkaJSProtocolError } = load('kafkajs/src/errors.js') as { KafkaJSProtocolError: new (error: object) => Error }

interface Produced {
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number; readonly messages: readonly Message[] }[] }[]
}

/** A fake cluster: `leaders[n]` leads partition n of each topic. Keeps what it is sent. */
class FakeCluster {
  readonly stored: (readonly [partition: number, key: string])[] = []
  readonly targetTopics = new Set<string>()
  leaders: readonly number[]
  /** What a broker does before it stores anything. */
  readonly #onProduce: (node: number, cluster: FakeCluster) => void

  constructor(leaders: readonly number[], onProduce: (node: number, cluster: FakeCluster) => void = () => undefined) {
    this.leaders = leaders
    this.#onProduce = onProduce
  }

  readonly addMultipleTargetTopics = () => Promise.resolve()
  readonly refreshMetadata = () => Promise.resolve()
  readonly refreshMetadataIfNecessary = () => Promise.resolve()
  readonly isConnected = () => true
  readonly findTopicPartitionMetadata = () => this.leaders.map((leader, partitionId) => ({ partitionId, leader }))

  findLeaderForPartitions(_: string, partitions: readonly string[]): Record<number, number[]> {
    const found: Record<number, number[]> = {}
    for (const partition of partitions.map(Number)) {
      const leader = this.leaders[partition]
      if (leader !== undefined) (found[leader] ??= []).push(partition)
    }
    return found
  }

  readonly #brokers = new Map<number, object>()
  findBroker({ nodeId }: { nodeId: string }): Promise<object> {
    const node = Number(nodeId)
    const broker = this.#brokers.get(node) ?? { nodeId: node, produce: (request: Produced) => this.#produce(node, request) }
    this.#brokers.set(node, broker)
    return Promise.resolve(broker)
  }

  async #produce(node: number, { topicData }: Produced): Promise<object> {
    // The brokers answer one after the other, the first one first.
    for (let turn = 0; turn < node * 10; turn += 1) await Promise.resolve()
    this.#onProduce(node, this)
    for (const { partitions } of topicData) {
      for (const { partition, messages } of partitions) this.stored.push(...messages.map(({ key }) => [partition, String(key)] as const))
    }
    return {
      topics: topicData.map(({ topic, partitions }) => ({ topicName: topic, partitions: partitions.map(({ partition }) => ({ partition, errorCode: 0 })) })),
    }
  }
}

/** A producer of the client's own code at a fake cluster. */
function producerAt(cluster: FakeCluster): Pick<Producer, 'sendBatch'> {
  const nothing = () => undefined
  const eosManager = {
    ...{ acquireBrokerLock: nothing, releaseBrokerLock: nothing, isTransactional: () => false, getSequence: () => 0 },
    ...{ updateSequence: nothing, getProducerId: () => 1, getProducerEpoch: () => 0 },
  }
  const logger = { debug: nothing, error: nothing }
  const retrier = createRetry({ initialRetryTime: 1, retries: 3 })
  const send = createSendMessages({ logger, cluster, eosManager, retrier, partitioner: steadyPartitioner() })
  return { sendBatch: (batch: ProducerBatch) => send(batch) }
}

/** Fails the first request to a broker, as one that no longer leads, and does something then. */
function notLeaderOnce(node: number, then: (cluster: FakeCluster) => void): (asked: number, cluster: FakeCluster) => void {
  let isOver = false
  return (asked, cluster) => {
    if (asked !== node || isOver) return
    isOver = true
    then(cluster)
    throw new KafkaJSProtocolError({ type: 'NOT_LEADER_FOR_PARTITION', code: 6, message: 'not the leader', retriable: true })
  }
}

const record = (key: string, partition?: number): ProducedRecord => ({
  ...{ topic: 'answers', key, value: 'a value', headers: {} },
  ...(partition === undefined ? {} : { partition }),
})
const both = [record('a', 0), record('b', 1)]
const failed = { code: 'KAFKA_FAILED', canRetry: true, message: expect.stringContaining('answers') as unknown }

describe('sendRecords', () => {
  test('all partitions at once: one request for each leader', async () => {
    let requests = 0
    const cluster = new FakeCluster([1, 1, 2], () => (requests += 1))
    await sendRecords(producerAt(cluster), [...both, record('c', 2)])
    expect(cluster.stored).toEqual([[0, 'a'], [1, 'b'], [2, 'c']])
    expect(requests).toBe(2)
  })

  test('a leader that moves to a broker that has answered: what was sent to nobody is noticed', async () => {
    const cluster = new FakeCluster([1, 2], notLeaderOnce(2, (moved) => (moved.leaders = [1, 1])))
    await expect(sendRecords(producerAt(cluster), both)).rejects.toMatchObject(failed)
    expect(cluster.stored).toEqual([[0, 'a']])
  })

  test('leaders that move to a third broker: what was stored twice is noticed', async () => {
    const cluster = new FakeCluster([1, 2], notLeaderOnce(2, (moved) => (moved.leaders = [3, 3])))
    await expect(sendRecords(producerAt(cluster), both)).rejects.toMatchObject(failed)
    expect(cluster.stored).toEqual([[0, 'a'], [0, 'a'], [1, 'b']])
  })

  test('a partition that isn’t there is noticed', async () => {
    const cluster = new FakeCluster([1])
    await expect(sendRecords(producerAt(cluster), [record('a', 7)])).rejects.toMatchObject(failed)
  })

  test('a topic that is widened while it is tried: no key goes to a second partition', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const widened = notLeaderOnce(2, (cluster) => (cluster.leaders = [1, 2, 3, 3, 3]))
    const cluster = new FakeCluster([1, 2], widened)
    await sendRecords(producerAt(cluster), keys.map((key) => record(key)))
    expect(cluster.stored.map(([, key]) => key).sort()).toEqual(keys)
  })
})

test('requests by key: a leader that moves loses and repeats nothing', async () => {
  for (const leaders of [[1, 1], [3, 3]]) {
    const cluster = new FakeCluster([1, 2], notLeaderOnce(2, (moved) => (moved.leaders = leaders)))
    for (const request of requestsByKey([record('a', 0), record('b', 1), record('a', 0)])) await sendRequest(producerAt(cluster), request)
    expect(cluster.stored).toEqual([[0, 'a'], [0, 'a'], [1, 'b']])
  }
})

test('requests by key: records without one go alone', () => {
  const requests = requestsByKey([record('a'), { ...record(''), key: null }, { ...record(''), key: null }, record('a')])
  expect(requests.map(({ records }) => records.map(({ key }) => key))).toEqual([['a', 'a'], [null], [null]])
})
