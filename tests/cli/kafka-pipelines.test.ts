import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import type { Result } from '../../src/envelope.js'
import { client, createTopics, frames, readTopic, withProducer } from '../kafka/harness.js'
import { describeWithKafka, kafkaBroker, startBroker } from '../support/kafka.js'
import { describeWithRtsp, startRtspServer } from '../support/rtsp-server.js'
import { startCli } from './spawn-cli.js'
import type { RunningCli } from './spawn-cli.js'

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

/** Windows of each stream. */
const WINDOWS = 3

interface Message {
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
}

/** Streams of the frames of a sample, each beginning at another one; one frame a second of media time. */
async function filmOf({ streams, frames: count }: { readonly streams: number; readonly frames: number }): Promise<readonly Message[]> {
  const folder = await mkdtemp(join(tmpdir(), 'film-'))
  try {
    const sample = pathOf('pipelines/samples/two-shapes.mp4')
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', sample, '-frames:v', String(streams + count), join(folder, '%03d.jpg')])
    const pictures = await Promise.all((await readdir(folder)).sort().map((name) => readFile(join(folder, name))))
    return Array.from({ length: count }, (_, frame) => frame).flatMap((frame) =>
      pictures.slice(frame, frame + streams).map((value, stream) => ({
        ...{ key: `camera-${stream}`, value },
        headers: { 'content-type': 'image/jpeg', 'pts-ms': String(frame * 1000) },
      })),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Whose window says what, under which id; sorted, as partitions have no common order. */
function told(records: readonly { readonly value: Result }[]): readonly string[] {
  return records
    .map(({ value }) => `${value.source.id} ${value.clip.startMs} ${value.id} ${value.kind === 'answer' ? value.answer : value.kind}`)
    .sort()
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

  test('three processes share twelve streams, one is killed: every answer of the demo model once, as from one process', async () => {
    const broker = await startBroker({ 'group.min.session.timeout.ms': 2_000 })
    try {
      const kafka = client(broker.brokers)
      const topics = await createTopics(kafka, 6)
      const { output: expectedTopic } = await createTopics(kafka, 1)
      const begin = (group: string, answersTopic: string): RunningCli => {
        const names = { KAFKA_FRAMES_TOPIC: topics.input, KAFKA_ANSWERS_TOPIC: answersTopic, KAFKA_GROUP: group }
        const env = { KAFKA_BROKERS: broker.brokers, KAFKA_SESSION_TIMEOUT_MS: '2000', ...names }
        return startCli(['run', pathOf('pipelines/kafka-worker.ts'), 'How many shapes are there?'], { env })
      }
      const send = (messages: readonly Message[]): Promise<unknown> =>
        withProducer(kafka, (producer) => producer.send({ topic: topics.input, messages: [...messages] }))
      const footage = await filmOf({ streams: 12, frames: WINDOWS * 8 + 8 })
      const half = footage.length / 2

      const workers = [1, 2, 3].map(() => begin('shared', topics.output))
      await send(footage.slice(0, half))
      await Promise.all(workers.map((worker) => worker.whenSaid('a stream begins')))
      await send(footage.slice(half))
      const [victim, ...others] = workers
      await readTopic(kafka, topics.output, ({ length }) => length >= 12)
      victim?.child.kill('SIGKILL')
      await readTopic<Result>(kafka, topics.output, (found) => new Set(found.map(({ value }) => value.id)).size >= 12 * WINDOWS)
      for (const { child } of others) child.kill('SIGTERM')
      expect(await Promise.all(others.map(({ end }) => end))).toMatchObject([{ status: 0 }, { status: 0 }])

      // What was written and committed by anybody lies before this.
      const last = { key: 'end', value: '{}' }
      await withProducer(kafka, (producer) => producer.send({ topic: topics.output, messages: [last] }))
      const found = await readTopic<Result>(kafka, topics.output, (records) => records.at(-1)?.key === 'end')

      const alone = begin('alone', expectedTopic)
      const expected = await readTopic<Result>(kafka, expectedTopic, ({ length }) => length >= 12 * WINDOWS)
      alone.child.kill('SIGTERM')
      expect(await alone.end).toMatchObject({ status: 0 })
      expect(told(found.slice(0, -1))).toEqual(told(expected))
    } finally {
      await broker.stop()
    }
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
