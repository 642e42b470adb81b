import { readFile, readdir } from 'node:fs/promises'

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

  it('is watched over by one process, however often it starts, and by none after it', async () => {
    const broker = await startBroker()
    try {
      await broker.restart()
      await broker.kill()
      await broker.restart()
      await expect.poll(watchers, { timeout: 10_000 }).toBe(1)
    } finally {
      await broker.stop()
    }
    await expect.poll(watchers, { timeout: 10_000 }).toBe(0)
  })
})

/** How many processes wait for this one's end, to end its brokers. */
async function watchers(): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  // Some end meanwhile.
  const commands = await Promise.all(processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return commands.filter((command) => command.includes('kafka.sh\0watch\0') && command.endsWith(`\0${process.pid}\0`)).length
}

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
