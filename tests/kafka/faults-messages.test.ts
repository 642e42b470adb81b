import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'

import type { IHeaders, Kafka } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'

import type { Result } from '../../src/envelope.js'
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { wholeClip } from '../../src/operators/whole-clip.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import { start } from '../../src/service/start.js'
import type { Run } from '../../src/service/start.js'
import { kafkaSink } from '../../src/sinks/kafka.js'
import { kafkaSource } from '../../src/sources/kafka.js'
import type { KafkaSourceOptions } from '../../src/sources/kafka.js'
import { describeWithKafka, kafkaBroker } from '../support/kafka.js'
import { client, createTopics, frames, jpeg, readTopic, withProducer } from './harness.js'
import type { Topics } from './harness.js'
import { createNumberedModel } from './numbered-model.js'
import type { NumberedModelOptions } from './numbered-model.js'

const media = fileURLToPath(new URL('../media/', import.meta.url))
const bunny = `${media}bunny.mp4`

interface Message {
  readonly key: string | null
  readonly value: string | Buffer | null
  readonly headers?: IHeaders
}

interface Scene {
  readonly kafka: Kafka
  readonly topics: Topics
  send: (messages: readonly Message[]) => Promise<void>
  start: (source?: Partial<KafkaSourceOptions>, model?: NumberedModelOptions) => Run
  /** Where a partition's next reader begins. */
  committedOffset: () => Promise<number>
}

/** Topics with one partition, and a pipeline over them in this process. */
async function openScene(settings?: Record<string, string>): Promise<Scene> {
  const brokers = [await kafkaBroker()]
  const kafka = client(brokers.join())
  const topics = await createTopics(kafka, 1, settings)
  return {
    ...{ kafka, topics },
    send: async (messages) => {
      await withProducer(kafka, (producer) => producer.send({ topic: topics.input, messages: [...messages] }))
    },
    start: (source, model) => {
      const run = start(
        definePipeline({
          ...{ name: 'messages', delivery: 'exactly-once', model: createNumberedModel(model) },
          sources: [
            kafkaSource({
              ...{ brokers, topic: topics.input, groupId: topics.group, deadLetterTopic: topics.dead },
              ...{ commitIntervalMs: 20, sampling: { kind: 'uniform', frames: 4 }, ...source },
            }),
          ],
          stream: (stream, { model: bound, stream: { isLive } }) =>
            stream.pipe(encode(bound), isLive ? slidingWindow({ frames: 4, every: 2 }) : wholeClip(), answer(bound, 'What?')),
          sinks: [kafkaSink({ brokers, topic: topics.output })],
        }),
      )
      run.done.catch(() => undefined)
      return run
    },
    committedOffset: async () => {
      const admin = kafka.admin()
      await admin.connect()
      const [found] = await admin.fetchOffsets({ groupId: topics.group, topics: [topics.input] })
      await admin.disconnect()
      return Number(found?.partitions[0]?.offset)
    },
  }
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A web server of this machine; its address ends with a slash. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const reference = (uri: string, streamId: string, questions?: readonly string[]): Message => ({
  ...{ key: streamId, headers: { 'content-type': 'application/json' } },
  value: JSON.stringify({ uri, streamId, questions }),
})

const told = ({ value }: { readonly value: Result }): string => {
  const said = value.kind === 'answer' ? value.question : value.kind
  return `${value.source.id} ${value.clip.frames.length} ${said}`
}

describeWithKafka('messages that can’t be used', () => {
  const poison: readonly (readonly [code: string, message: Message])[] = [
    ['FRAME_UNREADABLE', { key: 'door', value: 'no picture', headers: { 'content-type': 'image/jpeg', trace: 'kept' } }],
    ['MESSAGE_EMPTY', { key: 'door', value: null, headers: { 'content-type': 'image/jpeg' } }],
    ['MESSAGE_TYPE_UNKNOWN', { key: 'door', value: 'text', headers: { 'content-type': 'text/plain' } }],
    ['MESSAGE_TYPE_UNKNOWN', { key: 'door', value: 'no headers' }],
    ['MESSAGE_INVALID', { key: 'door', value: '{"uri":', headers: { 'content-type': 'application/json' } }],
    ['MESSAGE_INVALID', { key: null, value: 'no key', headers: { 'content-type': 'image/jpeg' } }],
    ['MESSAGE_TOO_LARGE', { key: 'door', value: 'x'.repeat(10_001), headers: { 'content-type': 'image/jpeg' } }],
    ['VIDEO_UNREADABLE', { key: 'yard', value: 'no video', headers: { 'content-type': 'video/mp4' } }],
  ]

  test('one in ten: each becomes one dead letter, and everything else is answered', async () => {
    const { kafka, topics, send, start: begin } = await openScene()
    const good = await frames('door', 0, 9 * poison.length)
    const mixed = poison.flatMap(([, message], place) => [...good.slice(9 * place, 9 * place + 9), message])
    await send(mixed)
    const first = begin({ maxMessageBytes: 10_000 })
    const answers = await readTopic<Result>(kafka, topics.output, ({ length }) => length === good.length / 2 - 1)
    await readTopic(kafka, topics.dead, ({ length }) => length === poison.length)
    await first.stop()
    expect(new Set(answers.map(({ value }) => value.clip.startMs)).size).toBe(good.length / 2 - 1)

    // What was buried stays so: only what comes later is added.
    await send([{ key: 'door', value: 'last' }])
    const second = begin({ maxMessageBytes: 10_000 })
    const letters = await readTopic<string>(kafka, topics.dead, (found) => found.some(({ value }) => value === 'last'))
    await second.stop()
    const offsets = poison.map((_, place) => 10 * place + 9)
    expect(letters.map(({ headers }) => Number(headers['original-offset'])).sort((a, b) => a - b)).toEqual([...offsets, mixed.length])
    for (const [place, [code, { key, value, headers }]] of poison.entries()) {
      const letter = letters.find((each) => each.headers['original-offset'] === String(offsets[place]))
      expect(letter).toMatchObject({ key: key ?? '', value })
      expect(letter?.headers).toMatchObject({ ...headers, 'error-code': code, 'original-topic': topics.input, 'original-partition': '0' })
    }
  })

  test('addresses that aren’t allowed: nothing is fetched', async () => {
    const fetched: string[] = []
    const forbidden = await serve((request, response) => {
      fetched.push(request.url ?? '')
      response.end()
    })
    const open = await serve((_, response) => response.writeHead(302, { location: `${forbidden}secret.mp4` }).end())
    const addresses = [`concat:${bunny}|${bunny}`, 'file:///etc/passwd', `${forbidden}a.mp4`, `${open}moved.mp4`]
    const { kafka, topics, send, start: begin } = await openScene()
    await send(addresses.map((uri, place) => reference(uri, `clip-${place}`)))
    const run = begin({ allow: [open, pathToFileURL(media).href] })
    const letters = await readTopic(kafka, topics.dead, ({ length }) => length === addresses.length)
    await run.stop()
    expect(letters.map(({ headers }) => headers['error-code'])).toEqual(addresses.map(() => 'ADDRESS_NOT_ALLOWED'))
    expect(fetched).toEqual([])
  })
})

describeWithKafka('videos in messages', () => {
  test('a clip, a file and a web address are answered, each by its own questions', async () => {
    const video = await readFile(bunny)
    const web = await serve((_, response) => response.writeHead(200, { 'content-type': 'video/mp4' }).end(video))
    const { kafka, topics, send, start: begin } = await openScene()
    await send([
      { key: 'inline', value: video, headers: { 'content-type': 'video/mp4', questions: '["Inside?"]' } },
      reference(pathToFileURL(bunny).href, 'on-disk', ['Where?', 'Who?']),
      reference(`${web}bunny.mp4`, 'on-the-web'),
    ])
    const run = begin({ allow: [web, pathToFileURL(media).href] })
    const answers = await readTopic<Result>(kafka, topics.output, ({ length }) => length === 4)
    await run.stop()
    expect(answers.map(told).sort()).toEqual(['inline 4 Inside?', 'on-disk 4 Where?', 'on-disk 4 Who?', 'on-the-web 4 What?'])
  })
})

describeWithKafka('the committed offset', () => {
  test('stays at an open window until its key has been silent for long enough', async () => {
    const { kafka, topics, send, start: begin, committedOffset } = await openScene()
    await send(await frames('door', 0, 5))
    const patient = begin({ windowIdleMs: 60_000 })
    await readTopic<Result>(kafka, topics.output, ({ length }) => length === 1)
    await patient.stop()
    expect(await committedOffset()).toBe(2)

    const hasty = begin({ windowIdleMs: 100 })
    const answers = await readTopic<Result>(kafka, topics.output, ({ length }) => length === 2)
    await hasty.stop()
    expect(answers.map(told)).toEqual(['door 4 What?', 'door 3 What?'])
    expect(await committedOffset()).toBe(5)
  })
})

describeWithKafka('answers and the size that their topic takes', () => {
  test('many at once are more than it takes, and arrive', async () => {
    const { kafka, topics, send, start: begin } = await openScene()
    const keys = Array.from({ length: 40 }, (_, place) => `camera-${place}`)
    const each = await Promise.all(keys.map((key) => frames(key, 0, 4)))
    await send(each.flat())
    const run = begin({}, { answerLength: 50_000, generateMs: 50 })
    const answers = await readTopic<Result>(kafka, topics.output, ({ length }) => length === keys.length)
    await run.stop()
    expect(new Set(answers.map(({ key }) => key)).size).toBe(keys.length)
  })

  test('one that is larger ends the source with KAFKA_TOO_LARGE', async () => {
    const { send, start: begin } = await openScene()
    await send([{ key: 'door', value: await jpeg(), headers: { 'content-type': 'image/jpeg' } }, ...(await frames('door', 1, 3))])
    await expect(begin({}, { answerLength: 1_100_000 }).done).rejects.toMatchObject({ code: 'KAFKA_TOO_LARGE' })
  })
})
