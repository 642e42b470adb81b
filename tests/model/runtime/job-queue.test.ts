import { expect, test } from 'vitest'
import type { Engine } from '../../../src/model/runtime/engine.js'
import { createJobQueue } from '../../../src/model/runtime/job-queue.js'
import type { JobHooks } from '../../../src/model/runtime/lane.js'
import type { FromWorker, Job, JobResult } from '../../../src/model/runtime/protocol.js'

const open: Job = { kind: 'open' }

/** A queue whose jobs end when the test says so. */
function controlledQueue() {
  const posted: { message: FromWorker; transfer: readonly ArrayBuffer[] }[] = []
  const running: { end: (result: JobResult) => void; fail: (error: Error) => void; hooks: JobHooks }[] = []
  const stopping: (() => void)[] = []
  let closed = 0
  const engine: Engine = {
    run: (_, hooks) =>
      new Promise((resolve, reject) => {
        running.push({ end: resolve, fail: reject, hooks })
      }),
    stop: () => new Promise((resolve) => { stopping.push(resolve) }),
  }
  const answer = createJobQueue(engine, (message, transfer) => posted.push({ message, transfer }), () => (closed += 1))
  return { posted, running, stopping, answer, closed: () => closed, messages: () => posted.map(({ message }) => message) }
}

/** Lets all promises that can go on, go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('begins jobs as they come, says when they begin, and answers each when it is done', async () => {
  const { answer, running, messages } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'job', id: 2, job: open })
  expect(running).toHaveLength(2)
  running[1]?.hooks.onBegin()
  running[1]?.hooks.onDelta('A')
  running[1]?.end(null)
  await turn()
  running[0]?.end(null)
  await turn()
  expect(messages()).toEqual([
    { type: 'begun', id: 2 },
    { type: 'delta', id: 2, text: 'A' },
    { type: 'done', id: 2, result: null },
    { type: 'done', id: 1, result: null },
  ])
})

test('moves a buffer that is in a result twice once', async () => {
  const { answer, running, posted } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  const data = new Float32Array(4)
  running[0]?.end({ visual: { data, tokens: 2, width: 2, connectMs: 0 }, condensed: [{ condensed: data }] })
  await turn()
  expect(posted.map(({ transfer }) => transfer)).toEqual([[data.buffer]])
})

test('answers a job that failed with its error', async () => {
  const { answer, running, messages } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  running[0]?.fail(new Error('broken'))
  await turn()
  expect(messages()).toMatchObject([{ type: 'failed', id: 1, error: { code: 'MODEL_FAILED' } }])
})

test('tells a job that is cancelled, and takes a cancel for one that is over or never was', async () => {
  const { answer, running, messages } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'cancel', id: 1 })
  answer({ type: 'cancel', id: 5 })
  expect(running[0]?.hooks.signal.aborted).toBe(true)
  running[0]?.end(null)
  await turn()
  answer({ type: 'cancel', id: 1 })
  expect(messages()).toMatchObject([{ type: 'done', id: 1 }])
})

test('moves the buffers that a result fills, however deep, and copies others', async () => {
  const { answer, running, posted } = controlledQueue()
  const [own, other] = [new Float32Array(4), new Float32Array(2)]
  const part = new Float32Array(8).subarray(0, 4)
  answer({ type: 'job', id: 1, job: { kind: 'encode', pictures: [] } })
  answer({ type: 'job', id: 2, job: { kind: 'connect', frames: [] } })
  running[0]?.end([{ data: own, tokens: 2, width: 2 }, { data: part, tokens: 2, width: 2 }])
  running[1]?.end({ visual: { data: part, tokens: 1, width: 4, connectMs: 0 }, condensed: [{ condensed: other }] })
  await turn()
  expect(posted.map(({ transfer }) => transfer)).toEqual([[own.buffer], [other.buffer]])
})

test('closes once the run under way has ended, tells all to stop, and begins nothing more', async () => {
  const { answer, running, stopping, closed } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'close' })
  answer({ type: 'job', id: 2, job: open })
  await turn()
  expect([closed(), running[0]?.hooks.signal.aborted, running.length]).toEqual([0, true, 1])
  stopping[0]?.()
  await turn()
  expect(closed()).toBe(1)
})
