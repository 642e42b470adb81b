import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import type { Result } from '../../src/envelope.js'
import { client, createTopics, frames, readTopic, withProducer } from '../kafka/harness.js'
import { describeWithKafka, kafkaBroker } from '../support/kafka.js'
import { describeWithRtsp, startRtspServer } from '../support/rtsp-server.js'
import { startCli } from './spawn-cli.js'

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

/** Runs a pipeline while something is done, then ends it as a service manager would. */
async function whileRunning(args: readonly string[], env: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const cli = startCli(['run', ...args], { env })
  const early = cli.end.then(({ stderr }) => Promise.reject(new Error(`It ended by itself: ${stderr}`)))
  try {
    await Promise.race([work(), early])
  } finally {
    early.catch(() => undefined)
    cli.child.kill('SIGTERM')
  }
  expect(await cli.end).toMatchObject({ status: 0 })
}

describeWithKafka('pipelines/kafka-worker.ts', () => {
  test('answers about the frames and the clips of a topic, by the demo model', async () => {
    const brokers = await kafkaBroker()
    const kafka = client(brokers)
    const { input, output, group } = await createTopics(kafka, 2)
    const clip = await readFile(pathOf('pipelines/samples/two-shapes.mp4'))
    await withProducer(kafka, async (producer) => {
      const messages = [...(await frames('door', 0, 16)), { key: 'shapes', value: clip, headers: { 'content-type': 'video/mp4' } }]
      await producer.send({ topic: input, messages })
    })
    const env = { KAFKA_BROKERS: brokers, KAFKA_FRAMES_TOPIC: input, KAFKA_ANSWERS_TOPIC: output, KAFKA_GROUP: group }
    await whileRunning([pathOf('pipelines/kafka-worker.ts'), 'How many shapes are there?'], env, async () => {
      const answers = await readTopic<Result>(kafka, output, ({ length }) => length === 2)
      const bySource = new Map(answers.map(({ value }) => [value.source.id, resultSchema.parse(value)]))
      expect(bySource.get('shapes')).toMatchObject({ kind: 'answer', pipeline: 'kafka-worker', answer: 'Two.' })
      expect(bySource.get('door')).toMatchObject({ kind: 'answer', clip: { startMs: 0, endMs: 15_000 } })
    })
  })
})

describeWithRtsp('with a camera', () => {
  describeWithKafka('pipelines/kafka-sampler.ts', () => {
    test('sends one frame a second to a topic, under the name it was given', async () => {
      const brokers = await kafkaBroker()
      const kafka = client(brokers)
      const { input } = await createTopics(kafka, 1)
      const server = await startRtspServer({ mounts: { '/live': { codec: 'h264', clip: pathOf('tests/media/bunny.mp4') } } })
      const env = { KAFKA_BROKERS: brokers, KAFKA_FRAMES_TOPIC: input }
      await whileRunning([pathOf('pipelines/kafka-sampler.ts'), server.address('/live'), 'door'], env, async () => {
        const records = await readTopic<string>(kafka, input, ({ length }) => length >= 3)
        for (const { key, headers } of records) {
          expect(key).toBe('door')
          expect(headers).toMatchObject({ 'content-type': 'image/jpeg', 'captured-at': expect.any(String) as unknown })
        }
        const times = records.map(({ headers }) => Math.floor(Number(headers['pts-ms']) / 1000))
        expect(new Set(times).size).toBe(times.length)
      }).finally(() => server.stop())
    })
  })
})
