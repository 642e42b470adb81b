import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'

import { openTransactionalProducer } from '../../src/kafka/transactional-producer.js'
import { client, createTopics } from './harness.js'
import { onStage } from './stage.js'
import type { ScenarioSize } from './stage.js'

/** Answers a second, by one worker under exactly-once with a model that takes no time: from the first one to the last. */
export async function measureThroughput(size: ScenarioSize): Promise<number> {
  let times: readonly number[] = []
  await onStage(size, async ({ feed, startWorker, whenAnswered, reader }) => {
    await feed(1)
    const worker = startWorker({ model: {} })
    await whenAnswered(1)
    times = reader.answers.map(({ timestampMs }) => timestampMs)
    return [worker]
  })
  return (times.length / (Math.max(...times) - Math.min(...times))) * 1000
}

/** How long one transaction takes that holds a record, a state and an offset. */
export async function measureCommits(brokers: string): Promise<{ readonly medianMs: number; readonly worst5Ms: number }> {
  const kafka = client(brokers)
  const { input: topic, output, group: groupId } = await createTopics(kafka, 1)
  const producer = await openTransactionalProducer(kafka, { transactionalId: randomUUID(), groupId, transactionTimeoutMs: 30_000 })
  const timesMs: number[] = []
  for (let offset = 0; offset < 200; offset += 1) {
    const startMs = performance.now()
    const records = [output, topic].map((name) => ({ topic: name, key: 'key', value: 'x'.repeat(1000), headers: {} }))
    await producer.commit({ records, progress: { topic, partition: 0, offset } })
    timesMs.push(performance.now() - startMs)
  }
  await producer.close()
  timesMs.sort((one, other) => one - other)
  return { medianMs: timesMs[100] ?? NaN, worst5Ms: timesMs[190] ?? NaN }
}
