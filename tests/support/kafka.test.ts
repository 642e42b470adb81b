import { Kafka, logLevel } from 'kafkajs'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithKafka, kafkaBroker, startBroker } from './kafka.js'

describeWithKafka('a broker for tests', () => {
  it('is one for all who share it', async () => {
    const [one, other] = await Promise.all([kafkaBroker(), kafkaBroker()])
    expect(one).toMatch(/:\d+$/)
    expect(other).toBe(one)
  })

  it('of a test\'s own keeps its address and its data through a crash and a restart', async () => {
    const broker = await startBroker({ 'message.max.bytes': 3_000_000 })
    onTestFinished(() => broker.stop())
    await produce(broker.brokers, 'before')
    await broker.kill()
    await expect(produce(broker.brokers, 'meanwhile')).rejects.toThrow()
    await broker.restart()
    expect(await highWatermark(broker.brokers)).toBe('1')
    await produce(broker.brokers, 'x'.repeat(2_000_000))
    expect(await highWatermark(broker.brokers)).toBe('2')
  })
})

const client = (brokers: string) => new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 0 } })

async function produce(brokers: string, value: string): Promise<void> {
  const admin = client(brokers).admin()
  const producer = client(brokers).producer()
  try {
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'kept' }] })
    await producer.connect()
    await producer.send({ topic: 'kept', messages: [{ value }] })
  } finally {
    await admin.disconnect()
    await producer.disconnect()
  }
}

async function highWatermark(brokers: string): Promise<string | undefined> {
  const admin = client(brokers).admin()
  try {
    await admin.connect()
    return (await admin.fetchTopicOffsets('kept'))[0]?.high
  } finally {
    await admin.disconnect()
  }
}
