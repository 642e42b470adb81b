import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CPU } from '../../../src/model/device/device.js'
import { openBundle } from '../../../src/model/runtime/bundle.js'
import { Dispatcher } from '../../../src/model/runtime/dispatcher.js'
import type { FromWorker, Job, ToWorker } from '../../../src/model/runtime/protocol.js'
import { planLimits } from '../../../src/model/runtime/limits.js'
import { planThreads } from '../../../src/model/runtime/threads.js'
import { type WorkerThread, startWorkerThread } from '../../../src/model/runtime/worker-thread.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { countingJob } from './fake-model.js'

const open: Extract<Job, { kind: 'open' }> = { kind: 'open' }

/** A worker that the test plays. */
class PlayedWorker implements WorkerThread {
  readonly received: ToWorker[] = []
  isRef = true
  isClosed = false
  readonly #listeners = new Map<string, (value: never) => void>()

  postMessage(message: ToWorker): void {
    this.received.push(message)
  }
  on(event: string, listener: (value: never) => void): void {
    this.#listeners.set(event, listener)
  }
  ref(): void {
    this.isRef = true
  }
  unref(): void {
    this.isRef = false
  }
  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }
  say(message: FromWorker): void {
    this.#listeners.get('message')?.(message as never)
  }
  die(error?: Error): void {
    if (error !== undefined) this.#listeners.get('error')?.(error as never)
    this.#listeners.get('exit')?.(1 as never)
  }
  get jobIds(): readonly number[] {
    return this.received.flatMap((message) => (message.type === 'job' ? [message.id] : []))
  }
}

function played(): { dispatcher: Dispatcher; workers: PlayedWorker[] } {
  const workers: PlayedWorker[] = []
  const dispatcher = new Dispatcher(() => {
    const worker = new PlayedWorker()
    workers.push(worker)
    return worker
  })
  return { dispatcher, workers }
}

const done = (id: number): FromWorker => ({ type: 'done', id, result: null })

describe('a dispatcher', () => {
  test('starts its worker with the first job, and settles each with its own answer', async () => {
    const { dispatcher, workers } = played()
    expect(workers).toHaveLength(0)
    const first = dispatcher.submit(open)
    const second = dispatcher.submit(open)
    expect(workers).toHaveLength(1)
    workers[0]?.say({ type: 'failed', id: 1, error: { code: 'PROMPT_TOO_LONG', message: 'Too long.' } })
    workers[0]?.say(done(0))
    await expect(first).resolves.toBeNull()
    await expect(second).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG', message: 'Too long.' })
  })

  test('keeps the process alive only while there are jobs', async () => {
    const { dispatcher, workers } = played()
    const first = dispatcher.submit(open)
    workers[0]?.say(done(0))
    await first
    expect(workers[0]?.isRef).toBe(false)
    void dispatcher.submit(open)
    expect(workers[0]?.isRef).toBe(true)
  })

  test('fails all jobs with the reason where the model can\'t be loaded', async () => {
    const { dispatcher, workers } = played()
    const jobs = [dispatcher.submit(open), dispatcher.submit(open)]
    workers[0]?.say({ type: 'open-failed', error: { code: 'TOKENIZER_INVALID', message: 'No tokenizer.' } })
    workers[0]?.die()
    for (const job of jobs) await expect(job).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' })
    expect(workers).toHaveLength(1)
  })
})

describe('a worker that dies', () => {
  test('is replaced, and all its jobs go to the fresh one in their order', async () => {
    const { dispatcher, workers } = played()
    const jobs = [dispatcher.submit(open), dispatcher.submit(open)]
    workers[0]?.die()
    workers[1]?.say(done(0))
    expect(workers[1]?.jobIds).toEqual([0, 1])
    workers[1]?.say(done(1))
    await expect(Promise.all(jobs)).resolves.toEqual([null, null])
  })

  test('twice at one job fails that job alone, with the reason', async () => {
    const { dispatcher, workers } = played()
    const [poison, other] = [dispatcher.submit(open), dispatcher.submit(open)]
    workers[0]?.die(new Error('bad instruction'))
    workers[1]?.die(new Error('bad instruction'))
    await expect(poison).rejects.toMatchObject({
      code: 'MODEL_WORKER_DIED',
      canRetry: true,
      message: expect.stringContaining('bad instruction') as unknown,
    })
    expect(workers[2]?.jobIds).toEqual([1])
    workers[2]?.say(done(1))
    await expect(other).resolves.toBeNull()
  })

  test('while it had begun several: they are done one by one, and the one that kills again is found', async () => {
    const { dispatcher, workers } = played()
    const [first, poison, waiting] = [dispatcher.submit(open), dispatcher.submit(open), dispatcher.submit(open)]
    workers[0]?.say({ type: 'begun', id: 0 })
    workers[0]?.say({ type: 'begun', id: 1 })
    workers[0]?.die(new Error('bad instruction'))
    expect(workers[1]?.jobIds).toEqual([0])
    workers[1]?.say(done(0))
    await expect(first).resolves.toBeNull()
    expect(workers[1]?.jobIds).toEqual([0, 1])
    workers[1]?.say({ type: 'begun', id: 1 })
    workers[1]?.die(new Error('bad instruction'))
    await expect(poison).rejects.toMatchObject({ code: 'MODEL_WORKER_DIED' })
    expect(workers[2]?.jobIds).toEqual([2])
    workers[2]?.say(done(2))
    await expect(waiting).resolves.toBeNull()
  })

  test('while suspects are looked at: what comes in meanwhile waits, and goes on when the last of them is done', async () => {
    const { dispatcher, workers } = played()
    const suspect = dispatcher.submit(open)
    workers[0]?.say({ type: 'begun', id: 0 })
    workers[0]?.die()
    const late = dispatcher.submit(open)
    expect(workers[1]?.jobIds).toEqual([0])
    workers[1]?.say({ type: 'failed', id: 0, error: { code: 'PROMPT_TOO_LONG', message: 'Too long.' } })
    await expect(suspect).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
    expect(workers[1]?.jobIds).toEqual([0, 1])
    workers[1]?.say(done(1))
    await expect(late).resolves.toBeNull()
  })

  test('in the run of a job that was cancelled: nobody else is to blame for it', async () => {
    const { dispatcher, workers } = played()
    const abort = new AbortController()
    const [killer, innocent] = [dispatcher.submit(open, { signal: abort.signal }), dispatcher.submit(open)]
    workers[0]?.say({ type: 'begun', id: 0 })
    workers[0]?.say({ type: 'begun', id: 1 })
    workers[0]?.die()
    workers[1]?.say({ type: 'begun', id: 0 })
    abort.abort()
    await expect(killer).rejects.toMatchObject({ code: 'ABORTED' })
    expect(workers[1]?.jobIds).toEqual([0])
    workers[1]?.die()
    expect(workers[2]?.jobIds).toEqual([1])
    workers[2]?.say(done(1))
    await expect(innocent).resolves.toBeNull()
  })

  test('a suspect waits until what was cancelled before it is over', async () => {
    const { dispatcher, workers } = played()
    const abort = new AbortController()
    const jobs = [dispatcher.submit(open, { signal: abort.signal }), dispatcher.submit(open)]
    for (const id of [0, 1]) workers[0]?.say({ type: 'begun', id })
    workers[0]?.die()
    abort.abort()
    await expect(jobs[0]).rejects.toMatchObject({ code: 'ABORTED' })
    expect(workers[1]?.jobIds).toEqual([0])
    workers[1]?.say({ type: 'failed', id: 0, error: { code: 'ABORTED', message: 'It was stopped.' } })
    expect(workers[1]?.jobIds).toEqual([0, 1])
    workers[1]?.say(done(1))
    await expect(jobs[1]).resolves.toBeNull()
  })

  test('while it loads, twice: blamed is the suspect it was started for, not a job that waits', async () => {
    const { dispatcher, workers } = played()
    const [waiting, suspect] = [dispatcher.submit(open), dispatcher.submit(open)]
    workers[0]?.say({ type: 'begun', id: 1 })
    workers[0]?.die()
    workers[1]?.die()
    await expect(suspect).rejects.toMatchObject({ code: 'MODEL_WORKER_DIED' })
    expect(workers[2]?.jobIds).toEqual([0])
    workers[2]?.say(done(0))
    await expect(waiting).resolves.toBeNull()
  })

  test('while idle is replaced only when there is work again', async () => {
    const { dispatcher, workers } = played()
    const first = dispatcher.submit(open)
    workers[0]?.say(done(0))
    await first
    workers[0]?.die()
    expect(workers).toHaveLength(1)
    void dispatcher.submit(open)
    expect(workers).toHaveLength(2)
  })

  test('in the middle of an answer: the listener gets each piece of text once', () => {
    const { dispatcher, workers } = played()
    const texts: string[] = []
    void dispatcher.submit({ ...countingJob, kind: 'generate' }, { onDelta: (text) => texts.push(text) })
    workers[0]?.say({ type: 'delta', id: 0, text: 'A red' })
    workers[0]?.die()
    workers[1]?.say({ type: 'delta', id: 0, text: 'A' })
    workers[1]?.say({ type: 'delta', id: 0, text: ' red circle' })
    expect(texts.join('|')).toBe('A red| circle')
  })
})

describe('an abort', () => {
  test('rejects at once, tells the worker, and ignores what it still says', async () => {
    const { dispatcher, workers } = played()
    const abort = new AbortController()
    const texts: string[] = []
    const job = dispatcher.submit({ ...countingJob, kind: 'generate' }, { signal: abort.signal, onDelta: (text) => texts.push(text) })
    abort.abort()
    await expect(job).rejects.toMatchObject({ code: 'ABORTED' })
    expect(workers[0]?.received.at(-1)).toEqual({ type: 'cancel', id: 0 })
    workers[0]?.say({ type: 'delta', id: 0, text: 'late' })
    workers[0]?.say(done(0))
    expect(texts).toEqual([])
  })

  test('before a job starts nothing', async () => {
    const { dispatcher, workers } = played()
    await expect(dispatcher.submit(open, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(workers).toHaveLength(0)
  })

  test('of a job is not repeated on a fresh worker', async () => {
    const { dispatcher, workers } = played()
    const abort = new AbortController()
    const job = dispatcher.submit(open, { signal: abort.signal })
    void dispatcher.submit(open)
    abort.abort()
    await expect(job).rejects.toMatchObject({ code: 'ABORTED' })
    workers[0]?.die()
    expect(workers[1]?.jobIds).toEqual([1])
  })
})

test('a listener that throws ends its own job with its own error, and stops the work', async () => {
  const { dispatcher, workers } = played()
  const job = dispatcher.submit({ ...countingJob, kind: 'generate' }, { onDelta: () => { throw new RangeError('mine') } })
  workers[0]?.say({ type: 'delta', id: 0, text: 'A' })
  await expect(job).rejects.toThrow(RangeError)
  expect(workers[0]?.received.at(-1)).toEqual({ type: 'cancel', id: 0 })
})

describe('dispose', () => {
  test('closes the worker, rejects what is under way and all that comes later', async () => {
    const { dispatcher, workers } = played()
    const job = dispatcher.submit(open)
    const disposal = dispatcher.dispose()
    await expect(job).rejects.toMatchObject({ code: 'MODEL_DISPOSED' })
    await disposal
    expect(workers[0]?.isClosed).toBe(true)
    workers[0]?.die()
    await expect(dispatcher.submit(open)).rejects.toMatchObject({ code: 'MODEL_DISPOSED' })
    expect(workers).toHaveLength(1)
  })

  test('may be called before anything ran, and again', async () => {
    const { dispatcher } = played()
    await Promise.all([dispatcher.dispose(), dispatcher.dispose()])
  })
})

describe('with real threads', () => {
  let bundle: ConvertedCase
  let dispatcher: Dispatcher | undefined
  beforeAll(async () => {
    bundle = await convertCase(readCase('qwen2-stop'), 'fused')
  })
  afterAll(() => {
    bundle.remove()
  })
  afterEach(() => dispatcher?.dispose())

  /** A real thread that exits with code 7 at its first job. */
  function startDyingWorker(): WorkerThread {
    const worker = new Worker("require('node:worker_threads').parentPort.on('message', () => process.exit(7))", { eval: true })
    return Object.assign(worker, { close: () => once(worker, 'exit').then(() => undefined) })
  }

  async function startRealWorker(): Promise<() => WorkerThread> {
    const { dir, manifest } = await openBundle(bundle.directory)
    return () => startWorkerThread({ bundleDir: dir, manifest, device: CPU, threads: planThreads(1), limits: planLimits() })
  }

  const pictures = [{ data: new Uint8Array(12), width: 2, height: 2 }]

  test('a job whose thread dies is done by the next one', async () => {
    const start = await startRealWorker()
    let started = 0
    dispatcher = new Dispatcher(() => ((started += 1) === 1 ? startDyingWorker() : start()))
    await expect(dispatcher.submit({ kind: 'encode', pictures })).resolves.toHaveLength(1)
    expect(started).toBe(2)
  })

  test('a job that ends two threads fails, and the next one is done by a third', async () => {
    const start = await startRealWorker()
    let started = 0
    dispatcher = new Dispatcher(() => ((started += 1) <= 2 ? startDyingWorker() : start()))
    const jobs = [dispatcher.submit({ kind: 'encode', pictures }), dispatcher.submit({ kind: 'encode', pictures })]
    await expect(jobs[0]).rejects.toMatchObject({
      code: 'MODEL_WORKER_DIED',
      message: expect.stringContaining('exited with code 7') as unknown,
    })
    await expect(jobs[1]).resolves.toHaveLength(1)
  })
})
