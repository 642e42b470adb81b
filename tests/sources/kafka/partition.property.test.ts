import fc from 'fast-check'
import { EMPTY, Observable, merge, share } from 'rxjs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'

import type { DeliveryMode } from '../../../src/delivery.js'
import type { Result } from '../../../src/envelope.js'
import { StreamError } from '../../../src/errors.js'
import type { ReadRecord } from '../../../src/kafka/group-reader.js'
import type { Model } from '../../../src/model/model.js'
import { answer } from '../../../src/operators/answer.js'
import { encode } from '../../../src/operators/encode.js'
import { extendModel } from '../../../src/operators/run-context.js'
import { slidingWindow } from '../../../src/operators/sliding-window.js'
import { uniform } from '../../../src/sampling/uniform.js'
import { definePipeline } from '../../../src/service/define-pipeline.js'
import type { Pipeline } from '../../../src/service/define-pipeline.js'
import { start } from '../../../src/service/start.js'
import type { Sink } from '../../../src/sinks/sink.js'
import { allowList } from '../../../src/sources/allow-list.js'
import type { CommitContent } from '../../../src/sources/kafka/commits.js'
import { cameraSchema } from '../../../src/sources/kafka/open-video.js'
import { PartitionLife } from '../../../src/sources/kafka/partition.js'
import { downloadSchema } from '../../../src/sources/remote-file/settings.js'
import type { FrameStream, Source } from '../../../src/sources/source.js'
import { createInstantModel } from '../../operators/fakes.js'

/**
 * The protocol of docs/DELIVERY.md without a broker: a fake cluster that commits whole transactions or nothing, and
 * processes that crash at any await. Whatever happens, the answers that are visible in the end are those of a
 * process that never crashed, each once.
 */

const videos = {
  reading: { sampling: uniform(16), maxFramesInFlight: 4 },
  ...{ allow: allowList([]), download: downloadSchema.parse({}), camera: cameraSchema.parse({}) },
}

/** What outlives a process: one partition of a fake cluster. */
class FakeCluster {
  offset = 0
  readonly values = new Map<string, string>()
  readonly answers: Result[] = []
  readonly dead: string[] = []

  commit({ records, progress }: CommitContent): void {
    for (const { topic, key: bytes, value } of records) {
      const key = String(bytes)
      const text = String(value)
      if (topic === 'answers') this.answers.push(JSON.parse(text) as Result)
      else if (topic === 'dead') this.dead.push(key)
      else if (value === null) this.values.delete(key)
      else this.values.set(key, text)
    }
    expect(progress.offset).toBeGreaterThanOrEqual(this.offset)
    this.offset = progress.offset
  }
}

/** One process's luck: the await at which it crashes. */
class Fate {
  #left: number
  isDead = false
  onCrash: () => void = () => undefined

  constructor(awaits: number) {
    this.#left = awaits
  }

  /** Passes an await; a dead process never comes back from one. */
  async pass(): Promise<void> {
    if (!this.isDead && this.#left-- <= 0) {
      this.isDead = true
      this.onCrash()
    }
    await Promise.resolve()
    if (this.isDead) await new Promise(() => undefined)
  }
}

interface Scene {
  readonly stream: Pipeline['stream']
  readonly log: readonly ReadRecord[]
  readonly delivery: DeliveryMode
  readonly windowIdleMs: number
}

/** Runs one process until it crashes or has nothing left to do. Returns whether it is done. */
async function live(scene: Scene, cluster: FakeCluster, fate: Fate): Promise<boolean> {
  let life: PartitionLife | undefined
  const source: Source = {
    ...{ kind: 'kafka', id: 'topic', streams: EMPTY, cluster: 'fake' },
    open: ({ stop, delivery }) =>
      new Observable<FrameStream>((subscriber) => {
        life = new PartitionLife({
          ...{ topic: 'in', stateTopic: 'state', cluster: 'fake', partition: 0, deadLetterTopic: 'dead' },
          ...{ maxFramesInFlight: 4, maxMessageBytes: 1e6, windowIdleMs: scene.windowIdleMs, commitIntervalMs: 1 },
          ...{ isExactlyOnce: delivery === 'exactly-once', notify: () => undefined, now: () => 0, onTaken: () => undefined },
          videos,
          offset: cluster.offset,
          values: new Map(cluster.values),
          onStream: (stream) => {
            subscriber.next(stream)
          },
          onFailure: (error) => {
            subscriber.error(error)
          },
          commit: async (content) => {
            // Before the brokers have it, or after, with no word of it.
            await fate.pass()
            cluster.commit(content)
            await fate.pass()
          },
        })
        const opened = life
        const drain = (): void => {
          opened.drain().then(
            () => {
              subscriber.complete()
            },
            () => undefined,
          )
        }
        stop.addEventListener('abort', drain)
        life.push(scene.log.slice(cluster.offset))
        return () => {
          opened.revoke()
        }
      }),
  }
  const sink: Sink = {
    ...{ kind: 'fake', cluster: 'fake' },
    records: (result) => [{ topic: 'answers', key: result.source.id, value: JSON.stringify(result), headers: {} }],
    write: async (result) => {
      await fate.pass()
      cluster.answers.push(JSON.parse(JSON.stringify(result)) as Result)
      await fate.pass()
    },
  }
  const run = start(
    definePipeline({
      ...{ name: 'test', model: mortal(createInstantModel(), fate), sources: [source], sinks: [sink] },
      ...{ stream: scene.stream, delivery: scene.delivery },
    }),
  )
  run.done.catch(() => undefined)
  const crashed = new Promise<boolean>((resolve) => {
    fate.onCrash = () => {
      resolve(false)
    }
  })
  const finished = whenIdle(() => life, scene.log.length, fate).then(async () => {
    await run.stop()
    return true
  })
  const failed = run.done.then(() => true)
  const isDone = await Promise.race([crashed, finished, failed])
  if (!isDone) void run.stop({ drainTimeoutMs: 0 })
  return isDone
}

async function whenIdle(life: () => PartitionLife | undefined, end: number, fate: Fate): Promise<void> {
  while (!fate.isDead && (life()?.nextOffset ?? -1) < end) await new Promise((resolve) => setImmediate(resolve))
}

function mortal(model: Model, fate: Fate): Model {
  return extendModel(model, {
    encode: async (...args: Parameters<Model['encode']>) => {
      await fate.pass()
      return model.encode(...args)
    },
    generate: async (...args: Parameters<Model['generate']>) => {
      await fate.pass()
      return model.generate(...args)
    },
  })
}

const picture = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#fff' } }).png().toBuffer()

interface Message {
  readonly key: string
  readonly stepMs: number
  readonly pauseMs: number
  readonly kind: 'frame' | 'poison' | 'new-epoch' | 'duplicate'
}

const messages = fc.array(
  fc.record<Message>({
    key: fc.constantFrom('a', 'b', 'c'),
    stepMs: fc.integer({ min: 1, max: 3000 }),
    // Senders' clocks differ, and messages are filled in later.
    pauseMs: fc.oneof({ weight: 16, arbitrary: fc.constant(100) }, { weight: 2, arbitrary: fc.constant(70_000) }, fc.constant(-90_000)),
    kind: fc.oneof({ weight: 12, arbitrary: fc.constant('frame') }, fc.constantFrom('poison', 'new-epoch', 'duplicate')),
  }),
  { minLength: 1, maxLength: 40 },
)

/** The log that messages make: media time goes on by key, and falls back where an epoch begins. */
function logOf(list: readonly Message[]): readonly ReadRecord[] {
  const times = new Map<string, number>()
  let timestampMs = 1e6
  return list.map(({ key, stepMs, pauseMs, kind }, offset) => {
    timestampMs += pauseMs
    const before = times.get(key) ?? 0
    const ptsMs = kind === 'new-epoch' ? 0 : kind === 'duplicate' ? before : before + stepMs
    if (kind !== 'poison') times.set(key, ptsMs)
    return {
      ...{ topic: 'in', partition: 0, offset, timestampMs, key: Buffer.from(key) },
      value: kind === 'poison' ? Buffer.from('no picture') : picture,
      headers: [
        ['content-type', Buffer.from('image/png')],
        ['pts-ms', Buffer.from(String(ptsMs))],
      ],
    }
  })
}

const chains: Readonly<Record<string, Pipeline['stream']>> = {
  'overlapping windows of frames': (frames, { model }) =>
    frames.pipe(encode(model), slidingWindow({ frames: 4, every: 2 }), answer(model, ['What?', 'Who?'])),
  'windows of frames with gaps': (frames, { model }) =>
    frames.pipe(encode(model), slidingWindow({ frames: 2, every: 5 }), answer(model, 'What?')),
  'overlapping windows of seconds': (frames, { model }) =>
    frames.pipe(encode(model), slidingWindow({ seconds: 5, everySeconds: 2 }), answer(model, 'What?')),
  'two windows at once': (frames, { model }) => {
    const encoded = frames.pipe(encode(model), share())
    return merge(
      encoded.pipe(slidingWindow({ frames: 3 }), answer(model, 'What?')),
      encoded.pipe(slidingWindow({ seconds: 10, everySeconds: 4 }), answer(model, 'Where?')),
    )
  },
}

/** What an answer is about. */
const aboutOf = ({ source, clip, question }: Result): string =>
  `${source.id}@${source.epoch} ${question} ${clip.frames.map(({ ptsMs }) => ptsMs).join(',')}`

describe.each(Object.entries(chains))('%s', (_, stream) => {
  test.each(['exactly-once', 'at-least-once'] as const)('%s: crashes change no answer', async (delivery) => {
    await fc.assert(
      fc.asyncProperty(messages, fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }), async (list, crashes) => {
        const scene: Scene = { stream, delivery, log: logOf(list), windowIdleMs: 60_000 }
        const [calm, rough] = [new FakeCluster(), new FakeCluster()]
        expect(await live(scene, calm, new Fate(Infinity))).toBe(true)
        for (const awaits of crashes) await live(scene, rough, new Fate(awaits))
        expect(await live(scene, rough, new Fate(Infinity))).toBe(true)

        const [expected, seen] = [calm.answers.map(aboutOf), rough.answers.map(aboutOf)]
        const once = delivery === 'exactly-once' ? seen : [...new Set(seen)]
        expect([...once].sort()).toEqual([...expected].sort())
        expect(new Set(rough.answers.map(({ id }) => id)).size).toBe(expected.length)
        expect(rough.dead).toHaveLength(list.filter(({ kind }) => kind === 'poison').length)
        expect([rough.offset, rough.values]).toEqual([calm.offset, calm.values])
      }),
      { numRuns: Number(process.env.TEST_RUNS ?? 60), seed: Number(process.env.TEST_SEED ?? 7) },
    )
  })
})

test('a failed transaction ends the life: nothing is committed after it', async () => {
  const cluster = new FakeCluster()
  const log = logOf(Array.from({ length: 8 }, () => ({ key: 'a', stepMs: 1000, pauseMs: 100, kind: 'frame' as const })))
  const failures: unknown[] = []
  let commits = 0
  const life = new PartitionLife({
    ...{ topic: 'in', stateTopic: 'state', cluster: 'fake', partition: 0, deadLetterTopic: undefined, offset: 0, values: new Map() },
    ...{ maxFramesInFlight: 4, maxMessageBytes: 1e6, windowIdleMs: 60_000, commitIntervalMs: 1, isExactlyOnce: true },
    ...{ notify: () => undefined, now: () => 0, onTaken: () => undefined, onStream: ({ frames }) => frames.subscribe(({ receipt }) => { receipt.settle({ kind: 'skipped' }) }) },
    videos,
    commit: () => {
      commits += 1
      return Promise.reject(new StreamError('KAFKA_FAILED', 'Gone.'))
    },
    onFailure: (error) => {
      failures.push(error)
      life.revoke()
    },
  })
  life.push(log)
  await expect.poll(() => failures.length).toBe(1)
  await life.drain().catch(() => undefined)
  expect([commits, cluster.offset]).toEqual([1, 0])
})
