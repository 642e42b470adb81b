import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Subject, concat, lastValueFrom, of, tap, throwError } from 'rxjs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'

import type { Result } from '../../src/envelope.js'
import { StreamError } from '../../src/errors.js'
import type { Model, Pixels } from '../../src/model/model.js'
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { toTopic } from '../../src/operators/to-topic.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import { start } from '../../src/service/start.js'
import { fromTopic } from '../../src/sources/from-topic.js'
import { image } from '../../src/sources/image.js'
import { synthetic } from '../../src/sources/synthetic.js'
import type { Frame } from '../../src/types.js'
import { client, createTopics, readTopic } from '../kafka/harness.js'
import { describeWithKafka, kafkaBroker, startBroker } from '../support/kafka.js'
import { createFrame, createInstantModel, createStream } from './fakes.js'

const SETTINGS = { quality: 100 }

/** Numbered frames whose times are no whole milliseconds. */
const camera = (id: string, frames = 12) => synthetic({ id, frames, fps: 30 })

const asking: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model), slidingWindow({ frames: 4, every: 2 }), answer(model, 'What?'))

/** Runs a pipeline to its end, or until there are as many results as are wanted. */
async function resultsOf(pipeline: Omit<Pipeline, 'name'>, wanted = Infinity): Promise<readonly Result[]> {
  const run = start(definePipeline({ name: 'test', ...pipeline }))
  const results: Result[] = []
  run.answers$.subscribe((result) => {
    results.push(result)
    if (results.length === wanted) void run.stop()
  })
  await run.done
  return results
}

describe('settings', () => {
  test('every mistake is named', () => {
    const options = { brokers: ['nowhere'], topic: 'a topic', quality: 0, compression: 'best', queue: 0 }
    let message = ''
    try {
      toTopic(options as never)
    } catch (error) {
      expect(error).toMatchObject({ code: 'SETTING_INVALID' })
      message = (error as Error).message
    }
    for (const path of ['brokers[0]', 'topic', 'quality', 'compression', 'queue']) expect(message).toContain(`\`${path}\``)
  })
})

test('unsubscribe lets go of frames that are not stored', () => {
  const stream = createStream()
  const frames = of(createFrame(stream, 0), createFrame(stream, 1))
  // Nothing listens there: the broker is waited for.
  const subscription = frames.pipe(toTopic({ brokers: ['127.0.0.1:1'], topic: 'frames' })).subscribe()
  expect(stream.ledger.counts()).toMatchObject({ framesInFlight: 2 })
  subscription.unsubscribe()
  expect(stream.ledger.counts()).toMatchObject({ dropped: { stopped: 2 }, framesInFlight: 0 })
})

describeWithKafka('toTopic and fromTopic', () => {
  test('frames come out as they went in, and answers have the ids of a pipeline that isn’t split', async () => {
    const brokers = [await kafkaBroker()]
    const { input: topic, group: groupId } = await createTopics(client(brokers.join()), 2)
    const sent: Frame[] = []
    const received: Frame[] = []
    const cameras = [camera('door'), camera('yard')]

    const sampler: Pipeline['stream'] = (frames) =>
      frames.pipe(
        tap((frame) => void sent.push(frame)),
        toTopic({ brokers, topic, ...SETTINGS }),
      )
    expect(await resultsOf({ model: null, sources: cameras, stream: sampler })).toEqual([])
    const whole = await resultsOf({ model: createInstantModel(), sources: cameras, stream: asking })
    const worker: Pipeline['stream'] = (frames, context) => asking(frames.pipe(tap((frame) => void received.push(frame))), context)
    const sources = [fromTopic({ brokers, topic, groupId })]
    const split = await resultsOf({ model: createInstantModel(), sources, stream: worker }, whole.length)

    expect(sent.map(({ receipt }) => receipt.isSettled)).not.toContain(false)
    expect(whole).toHaveLength(10)
    expect(split.map(({ id }) => id).sort()).toEqual(whole.map(({ id }) => id).sort())
    for (const id of ['door', 'yard']) {
      const [before, after] = [sent, received].map((frames) => frames.filter(({ stream }) => stream.id === id))
      expect(after?.map(timesOf)).toEqual(before?.map(timesOf))
      expect(meanDifference(after, before)).toBeLessThan(1)
    }
  })

  test('a picture stays one to the model, and keeps its questions', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tinyllava-stream-to-topic-'))
    try {
      const photo = join(folder, 'photo.png')
      await sharp({ create: { width: 8, height: 4, channels: 3, background: '#c83214' } }).png().toFile(photo)
      const brokers = [await kafkaBroker()]
      const { input: topic, group: groupId } = await createTopics(client(brokers.join()), 1)
      await resultsOf({ model: null, sources: [image(photo, { questions: ['Where?'] }), camera('door', 1)], stream: (frames) => frames.pipe(toTopic({ brokers, topic })) })
      const shown: Pixels[] = []
      const model = createInstantModel()
      const encodeShown: Model['encode'] = (pictures) => {
        shown.push(...pictures)
        return model.encode(pictures)
      }
      const stream: Pipeline['stream'] = (frames, { model: bound }) => frames.pipe(encode(bound), slidingWindow({ frames: 1 }), answer(bound, 'What?'))
      const results = await resultsOf({ model: { ...model, encode: encodeShown }, sources: [fromTopic({ brokers, topic, groupId })], stream }, 2)
      expect(shown.map(({ width, kind }) => [width, kind]).sort()).toEqual([[64, undefined], [8, 'picture']])
      expect(results.map((result) => [result.source.id, 'question' in result && result.question]).sort()).toEqual([['door', 'What?'], ['photo.png', 'Where?']])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('headers say what the next process must know', async () => {
    const brokers = [await kafkaBroker()]
    const kafka = client(brokers.join())
    const { input: topic } = await createTopics(kafka, 1)
    const stream = createStream({ id: 'tür', epoch: 7, questions: ['Who?', 'What?'] })
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' }
    const full = { ...createFrame(stream, 3, 1234.5678), kind: 'picture' as const, capturedAt: '2026-01-31T12:00:00.000Z', trace }
    const plain = createFrame(createStream({ id: 'yard' }), 0, 0)
    await lastValueFrom(of(full, plain).pipe(toTopic({ brokers, topic, compression: 'lz4' })), { defaultValue: undefined })

    const [first, second] = await readTopic<string>(kafka, topic, ({ length }) => length === 2)
    expect(first).toMatchObject({ key: 'tür' })
    expect(first?.headers).toEqual({
      ...{ 'content-type': 'image/jpeg', 'stream-id': 'tür', epoch: '7', 'frame-index': '3', 'pts-ms': '1234.568' },
      ...{ 'captured-at': '2026-01-31T12:00:00.000Z', 'pixel-kind': 'picture', questions: '["Who?","What?"]', ...trace },
    })
    expect(second?.headers).toEqual({
      ...{ 'content-type': 'image/jpeg', 'stream-id': 'yard', epoch: '0', 'frame-index': '0', 'pts-ms': '0' },
    })
    expect(stream.ledger.counts()).toMatchObject({ handedOut: 1, forwarded: 1, framesInFlight: 0 })
  })

  test('an error of the source comes after the frames that were taken', async () => {
    const brokers = [await kafkaBroker()]
    const { input: topic } = await createTopics(client(brokers.join()), 1)
    const stream = createStream()
    const lost = new StreamError('VIDEO_DECODER_FAILED', 'It was lost.')
    const frames = concat(of(createFrame(stream, 0), createFrame(stream, 1)), throwError(() => lost))
    await expect(lastValueFrom(frames.pipe(toTopic({ brokers, topic })))).rejects.toBe(lost)
    expect(stream.ledger.counts()).toMatchObject({ forwarded: 2, framesInFlight: 0 })
  })

  test('a topic that isn’t there, and a frame that is too large for it, end the stream', async () => {
    const brokers = [await kafkaBroker()]
    const { input: topic } = await createTopics(client(brokers.join()), 1, { 'max.message.bytes': '300' })
    for (const [name, code] of [
      [`${topic}-not-there`, 'KAFKA_TOPIC_UNKNOWN'],
      [topic, 'KAFKA_TOO_LARGE'],
    ] as const) {
      const stream = createStream()
      const frames = of(createFrame(stream, 0), createFrame(stream, 1))
      const end = lastValueFrom(frames.pipe(toTopic({ brokers, topic: name })))
      await expect(end).rejects.toMatchObject({ code, canRetry: false })
      expect(stream.ledger.counts()).toMatchObject({ failed: 1, dropped: { stopped: 1 }, framesInFlight: 0 })
    }
  })

  test('a frame that is no picture ends the stream', async () => {
    const brokers = [await kafkaBroker()]
    const stream = createStream()
    const broken = { ...createFrame(stream, 0), width: 5 }
    await expect(lastValueFrom(of(broken).pipe(toTopic({ brokers, topic: 'frames' })))).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    expect(stream.ledger.counts()).toMatchObject({ failed: 1, framesInFlight: 0 })
  })

  test('a broker that is away is waited for: each frame is there once, in order', async () => {
    const broker = await startBroker()
    try {
      const brokers = [broker.brokers]
      const kafka = client(broker.brokers)
      const { input: topic } = await createTopics(kafka, 1)
      const stream = createStream()
      const frames = new Subject<Frame>()
      const sending = frames.pipe(toTopic({ brokers, topic }))
      const done = lastValueFrom(sending, { defaultValue: 'done' })
      const push = (from: number, to: number): void => {
        for (let index = from; index < to; index += 1) frames.next(createFrame(stream, index))
      }
      push(0, 20)
      await stream.ledger.whenFramesBelow(15)
      await broker.kill()
      push(20, 40)
      await broker.restart()
      push(40, 60)
      frames.complete()
      expect(await done).toBe('done')
      const records = await readTopic<string>(kafka, topic, ({ length }) => length >= 60)
      expect(records.map(({ headers }) => Number(headers['frame-index']))).toEqual(Array.from({ length: 60 }, (_, index) => index))
      expect(stream.ledger.counts()).toMatchObject({ handedOut: 60, forwarded: 60, framesInFlight: 0 })
    } finally {
      await broker.stop()
    }
  })
})

function timesOf({ stream, index, ptsMs, capturedAt, width, height }: Frame): unknown {
  return { id: stream.id, epoch: stream.epoch, index, ptsMs, capturedAt, width, height }
}

function meanDifference(some: readonly Frame[] = [], others: readonly Frame[] = []): number {
  const differences = some.flatMap(({ data }, place) => [...data].map((value, byte) => Math.abs(value - (others[place]?.data[byte] ?? 0))))
  return differences.reduce((sum, each) => sum + each, 0) / differences.length
}
