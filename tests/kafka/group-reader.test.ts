import { EventEmitter, once } from 'node:events'

import kafkajs from 'kafkajs'
import type { ConsumerConfig, Kafka } from 'kafkajs'
import { expect, onTestFinished, test, vi } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { lazyCodec, registerCodecs } from '../../src/kafka/compression.js'
import { createClient } from '../../src/kafka/connection.js'
import { openGroupReader } from '../../src/kafka/group-reader.js'
import type { GroupReader, GroupReaderSetup, ReadBatch } from '../../src/kafka/group-reader.js'
import { createRecordSender } from '../../src/kafka/record-sender.js'
import { openTopics } from '../../src/kafka/topics.js'
import { describeWithKafka, kafkaBroker, startBroker } from '../support/kafka.js'
import { client, createTopics, withProducer } from './harness.js'

const { CompressionCodecs, CompressionTypes } = kafkajs

/** A topic of one partition with its state topic, and a group of their own. */
async function createPlace(brokers: string): Promise<Pick<GroupReaderSetup, 'topic' | 'stateTopic' | 'groupId'>> {
  const { input: topic, group: groupId } = await createTopics(client(brokers), 1)
  const topics = await openTopics(createClient({ brokers: [brokers] }))
  await topics.ensureCompacted(`${topic}-state`, 1)
  await topics.close()
  return { topic, stateTopic: `${topic}-state`, groupId }
}

/** A reader that begins at the partition's first record, and what it tells. */
class Told extends EventEmitter {
  readonly values: string[] = []

  async read(brokers: string, place: Pick<GroupReaderSetup, 'topic' | 'stateTopic' | 'groupId'>): Promise<GroupReader> {
    const reader = await openGroupReader(createClient({ brokers: [brokers] }), {
      ...{ ...place, maxBytesPerPartition: 1024 * 1024, sessionTimeoutMs: 10_000 },
      onAssigned: ([partition = 0], member) => {
        member.seek(place.topic, partition, 0)
        member.resume(place.topic, partition)
      },
      ...{ onRevoked: () => undefined, onFetched: () => undefined },
      onBatch: ({ records }: ReadBatch) => {
        this.values.push(...records.map(({ value }) => String(value)))
        this.emit('batch')
      },
      ...{ onGap: (gap) => this.emit('gap', gap), onRestart: (error) => this.emit('restart', error) },
      onFailure: (error) => this.emit('failure', error),
    })
    onTestFinished(() => reader.close())
    return reader
  }

  async whenRead(count: number): Promise<readonly string[]> {
    while (this.values.length < count) await once(this, 'batch')
    return this.values
  }
}

async function send(kafka: Kafka, topic: string, values: readonly string[]): Promise<void> {
  await withProducer(kafka, (producer) => producer.send({ topic, messages: values.map((value) => ({ key: 'key', value })) }))
}

/** How far the group has read, as the cluster says it; -1: nobody has said. */
async function committedOffset(kafka: Kafka, groupId: string, topic: string): Promise<string | undefined> {
  const admin = kafka.admin()
  await admin.connect()
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return found?.partitions[0]?.offset
}

describeWithKafka('a group reader', () => {
  test('messages that are deleted while their partition is paused are told, and nothing is committed', async () => {
    const brokers = await kafkaBroker()
    const [kafka, place, told] = [client(brokers), await createPlace(brokers), new Told()]
    await send(kafka, place.topic, ['0', '1', '2'])
    const reader = await told.read(brokers, place)
    await told.whenRead(3)
    reader.pause(place.topic, 0)
    await send(kafka, place.topic, ['3', '4', '5'])
    const admin = kafka.admin()
    await admin.connect()
    // The client deletes only in topics that it has been asked about.
    await admin.fetchTopicOffsets(place.topic)
    await admin.deleteTopicRecords({ topic: place.topic, partitions: [{ partition: 0, offset: '5' }] })
    await admin.disconnect()
    const gap = once(told, 'gap')
    reader.resume(place.topic, 0)
    expect(await gap).toEqual([{ topic: place.topic, partition: 0, expected: 3, found: 5 }])
    expect(await told.whenRead(4)).toEqual(['0', '1', '2', '5'])
    expect(await committedOffset(kafka, place.groupId, place.topic)).toBe('-1')
  })

  test('a second topic can’t be read with the same group: its reader is told to take another', async () => {
    const brokers = await kafkaBroker()
    const [one, other] = [await createPlace(brokers), await createPlace(brokers)]
    const [first, second] = [new Told(), new Told()]
    await first.read(brokers, one)
    const failure = once(second, 'failure')
    await second.read(brokers, { ...other, groupId: one.groupId })
    const refused = { code: 'SETTING_INVALID', canRetry: false, message: expect.stringContaining('another `groupId`') as unknown }
    expect(await failure).toMatchObject([refused])
    // Whoever was there first reads on.
    await send(client(brokers), one.topic, ['still read'])
    expect(await first.whenRead(1)).toEqual(['still read'])
  })

  test('records that can’t be unpacked here end it, with the code', async () => {
    const brokers = await kafkaBroker()
    const [place, told] = [await createPlace(brokers), new Told()]
    const sender = createRecordSender(createClient({ brokers: [brokers] }))
    await sender.send([{ topic: place.topic, key: 'key', value: 'packed', headers: {}, compression: 'lz4' }])
    await sender.close()
    const failure = once(told, 'failure')
    await told.read(brokers, place)
    CompressionCodecs[CompressionTypes.LZ4] = () => lazyCodec('lz4', () => Promise.reject(new Error('no such package')))
    onTestFinished(registerCodecs)
    expect(await failure).toMatchObject([{ code: 'KAFKA_CODEC_MISSING', canRetry: false }])
    expect(told.values).toEqual([])
  })

  test('brokers that go away: that the client begins anew is told', async () => {
    const broker = await startBroker()
    onTestFinished(() => broker.stop())
    const [place, told] = [await createPlace(broker.brokers), new Told()]
    await told.read(broker.brokers, place)
    const restart = once(told, 'restart')
    await broker.kill()
    expect(await restart).toMatchObject([{ code: 'KAFKA_FAILED', canRetry: true }])
  })
})

test('the client begins anew only while there is hope', async () => {
  const nothing = () => undefined
  const later = () => Promise.resolve()
  /** The client's side of a fake consumer, which reads nothing. */
  const consumer = vi.fn<(settings: ConsumerConfig) => object>(() => ({
    ...{ connect: later, subscribe: later, run: later, disconnect: later, on: nothing, events: {} },
  }))
  const reader = await openGroupReader({ consumer } as unknown as Kafka, {
    ...{ topic: 'frames', stateTopic: 'state', groupId: 'group', maxBytesPerPartition: 1024, sessionTimeoutMs: 10_000 },
    ...{ onAssigned: nothing, onRevoked: nothing, onBatch: nothing, onFetched: nothing, onFailure: nothing },
  })
  const triedOften = (cause: Error) => Object.assign(new Error('tried often', { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' })
  const mayRestart = (error: Error) => consumer.mock.calls[0]?.[0].retry?.restartOnFailure?.(error)
  expect(await mayRestart(triedOften(new Error('no broker')))).toBe(true)
  expect(await mayRestart(triedOften(new StreamError('KAFKA_CODEC_MISSING', 'No lz4 here.')))).toBe(false)
  await reader.close()
  expect(await mayRestart(triedOften(new Error('no broker')))).toBe(false)
})
