import { randomUUID } from 'node:crypto'

import { expect, onTestFinished, test } from 'vitest'

import { createClient } from '../../src/kafka/connection.js'
import { openTransactionalProducer } from '../../src/kafka/transactional-producer.js'
import type { TransactionalProducer } from '../../src/kafka/transactional-producer.js'
import { describeWithKafka, kafkaBroker } from '../support/kafka.js'
import { client, createTopics, readTopic } from './harness.js'

async function open(transactionalId: string): Promise<TransactionalProducer> {
  const kafka = createClient({ brokers: [await kafkaBroker()] })
  const producer = await openTransactionalProducer(kafka, { transactionalId, groupId: 'group', transactionTimeoutMs: 10_000 })
  onTestFinished(() => producer.close())
  return producer
}

describeWithKafka('a transactional producer', () => {
  const record = (topic: string, value: string) => ({ topic, key: 'key', value, headers: {} })

  test('fences off whoever had its id before as soon as it is open', async () => {
    const kafka = client(await kafkaBroker())
    const { output } = await createTopics(kafka, 1)
    const id = randomUUID()
    const earlier = await open(id)
    await earlier.commit({ records: [record(output, 'before')] })
    const later = await open(id)
    await expect(earlier.commit({ records: [record(output, 'of a zombie')] })).rejects.toMatchObject({ code: 'KAFKA_FAILED' })
    await later.commit({ records: [record(output, 'after')] })
    const records = await readTopic<string>(kafka, output, (found) => found.at(-1)?.value === 'after')
    expect(records.map(({ value }) => value)).toEqual(['before', 'after'])
  })

  test('a partition that isn’t there: nothing is committed, and it is told', async () => {
    const kafka = client(await kafkaBroker())
    const { output } = await createTopics(kafka, 1)
    const producer = await open(randomUUID())
    const records = [record(output, 'lost'), { ...record(output, 'nowhere'), partition: 7 }]
    await expect(producer.commit({ records })).rejects.toMatchObject({ code: 'KAFKA_FAILED', canRetry: true })
    await (await open(randomUUID())).commit({ records: [record(output, 'after')] })
    const found = await readTopic<string>(kafka, output, ({ length }) => length > 0)
    expect(found.map(({ value }) => value)).toEqual(['after'])
  })

  test('`close` lets the transaction that is under way end', async () => {
    const kafka = client(await kafkaBroker())
    const { output } = await createTopics(kafka, 1)
    const producer = await open(randomUUID())
    const committing = producer.commit({ records: [record(output, 'last')] })
    await producer.close()
    await expect(committing).resolves.toBeUndefined()
    const found = await readTopic<string>(kafka, output, ({ length }) => length > 0)
    expect(found.map(({ value }) => value)).toEqual(['last'])
  })
})
