import { randomUUID } from 'node:crypto'

import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createClient } from '../../src/kafka/connection.js'
import { openTopics } from '../../src/kafka/topics.js'
import type { Topics } from '../../src/kafka/topics.js'
import { describeWithKafka, kafkaBroker } from '../support/kafka.js'
import { client, createTopics, frames, withProducer } from './harness.js'

describeWithKafka('what a cluster is asked about topics', () => {
  let topics: Topics
  beforeAll(async () => {
    topics = await openTopics(createClient({ brokers: [await kafkaBroker()] }))
  })
  afterAll(() => topics.close())

  test('how many partitions one has', async () => {
    const { input } = await createTopics(client(await kafkaBroker()), 3)
    expect(await topics.partitionsOf(input)).toBe(3)
    await expect(topics.partitionsOf(`${input}-not-there`)).rejects.toMatchObject({ code: 'KAFKA_TOPIC_UNKNOWN', canRetry: false })
  })

  test('a compacted topic is made, left as it is, and widened', async () => {
    const name = `state-${randomUUID()}`
    for (const [wanted, found] of [
      [2, 2],
      [2, 2],
      [1, 2],
      [4, 4],
    ] as const) {
      await topics.ensureCompacted(name, wanted)
      expect(await topics.partitionsOf(name)).toBe(found)
    }
    const admin = client(await kafkaBroker()).admin()
    await admin.connect()
    const { resources } = await admin.describeConfigs({
      ...{ includeSynonyms: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] }] },
    })
    await admin.disconnect()
    expect(resources[0]?.configEntries).toMatchObject([{ configValue: 'compact' }])
  })

  test('two processes that make the same topic don’t disturb each other', async () => {
    const name = `state-${randomUUID()}`
    await Promise.all([topics.ensureCompacted(name, 2), topics.ensureCompacted(name, 2)])
    expect(await topics.partitionsOf(name)).toBe(2)
  })

  test('a topic that deletes what it holds is refused, with what to do', async () => {
    const { input } = await createTopics(client(await kafkaBroker()), 1, { 'cleanup.policy': 'delete' })
    const refused = { code: 'SETTING_INVALID', message: expect.stringContaining('--add-config cleanup.policy=compact') as unknown }
    await expect(topics.ensureCompacted(input, 1)).rejects.toMatchObject(refused)
    const { input: both } = await createTopics(client(await kafkaBroker()), 1, { 'cleanup.policy': 'compact,delete' })
    await topics.ensureCompacted(both, 1)
  })

  test('a name that no topic can have is told for good', async () => {
    const refused = { code: 'SETTING_INVALID', canRetry: false, message: expect.stringContaining('name') as unknown }
    await expect(topics.ensureCompacted('no topic/at all', 1)).rejects.toMatchObject(refused)
  })

  test('where a partition begins and ends, and how far a group has read it', async () => {
    const kafka = client(await kafkaBroker())
    const { input, group } = await createTopics(kafka, 1)
    expect(await topics.bounds(input, 0)).toEqual({ begin: 0, end: 0 })
    await withProducer(kafka, async (producer) => producer.send({ topic: input, messages: await frames('door', 0, 3) }))
    expect(await topics.bounds(input, 0)).toEqual({ begin: 0, end: 3 })
    expect(await topics.committedOffset(group, input, 0)).toBeUndefined()
    const admin = kafka.admin()
    await admin.connect()
    await admin.setOffsets({ groupId: group, topic: input, partitions: [{ partition: 0, offset: '2' }] })
    await admin.disconnect()
    expect(await topics.committedOffset(group, input, 0)).toBe(2)
  })
})

test('a cluster that isn’t there is KAFKA_FAILED', async () => {
  const kafka = createClient({ brokers: ['127.0.0.1:1'] })
  await expect(openTopics(kafka)).rejects.toMatchObject({ code: 'KAFKA_FAILED', canRetry: true })
})
