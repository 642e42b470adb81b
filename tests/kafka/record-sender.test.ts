import { expect, test } from 'vitest'

import { createClient } from '../../src/kafka/connection.js'
import { createRecordSender } from '../../src/kafka/record-sender.js'
import type { RecordSender } from '../../src/kafka/record-sender.js'
import { describeWithKafka, kafkaBroker } from '../support/kafka.js'
import { client, createTopics, readTopic } from './harness.js'

const NOBODY = { brokers: ['127.0.0.1:1'] }
const record = (topic: string, value = 'a value') => ({ topic, key: 'key', value, headers: {} })

async function withSender(brokers: string, work: (sender: RecordSender) => Promise<void>): Promise<void> {
  const sender = createRecordSender(createClient({ brokers: [brokers] }))
  await work(sender).finally(() => sender.close())
}

describeWithKafka('a record sender', () => {
  test('sends in the order of the calls, from whomever they come', async () => {
    const kafka = client(await kafkaBroker())
    const { output } = await createTopics(kafka, 1)
    const values = Array.from({ length: 50 }, (_, index) => String(index))
    await withSender(await kafkaBroker(), async (sender) => {
      await Promise.all(values.map((value) => sender.send([record(output, value)])))
    })
    const records = await readTopic<number>(kafka, output, ({ length }) => length === 50)
    expect(records.map(({ value }) => String(value))).toEqual(values)
  })

  test('a topic that isn’t there is told, by `open` and by `send`; others go on', async () => {
    const kafka = client(await kafkaBroker())
    const { output } = await createTopics(kafka, 1)
    await withSender(await kafkaBroker(), async (sender) => {
      const unknown = { code: 'KAFKA_TOPIC_UNKNOWN', canRetry: false }
      await expect(sender.open([output, `${output}-not-there`])).rejects.toMatchObject(unknown)
      await expect(sender.send([record(`${output}-not-there`)])).rejects.toMatchObject(unknown)
      await sender.send([record(output)])
    })
    expect(await readTopic(kafka, output, ({ length }) => length === 1)).toHaveLength(1)
  })

  test('a record that is refused doesn’t hold up the next', async () => {
    const kafka = client(await kafkaBroker())
    const { input } = await createTopics(kafka, 1, { 'max.message.bytes': '300' })
    await withSender(await kafkaBroker(), async (sender) => {
      await expect(sender.send([record(input, 'x'.repeat(500))])).rejects.toMatchObject({ code: 'KAFKA_TOO_LARGE', canRetry: false })
      await sender.send([record(input, 'short')])
    })
    const records = await readTopic<string>(kafka, input, ({ length }) => length === 1)
    expect(records).toMatchObject([{ value: 'short' }])
  })
})

test('`open` says that nobody is there; `send` waits until somebody lets go of it', async () => {
  const sender = createRecordSender(createClient(NOBODY))
  await expect(sender.open(['topic'])).rejects.toMatchObject({ code: 'KAFKA_FAILED', canRetry: true })
  const stop = new AbortController()
  const sending = sender.send([record('topic')], stop.signal)
  stop.abort()
  await expect(sending).rejects.toMatchObject({ code: 'ABORTED' })
  await sender.close()
})

test('`close` lets go of whatever waits, and nothing is sent after it', async () => {
  const sender = createRecordSender(createClient(NOBODY))
  const sendings = [sender.send([record('topic')]), sender.send([record('topic')])]
  const ends = Promise.allSettled(sendings)
  await sender.close()
  expect(await ends).toMatchObject(sendings.map(() => ({ status: 'rejected', reason: { code: 'ABORTED' } })))
  await expect(sender.send([record('topic')])).rejects.toMatchObject({ code: 'ABORTED' })
})
