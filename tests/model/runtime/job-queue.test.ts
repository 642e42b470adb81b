import { expect, test } from 'vitest'
import type { Engine } from '../../../src/model/runtime/engine.js'
import { createJobQueue } from '../../../src/model/runtime/job-queue.js'
import type { FromWorker, Job, JobResult } from '../../../src/model/runtime/protocol.js'

const open: Job = { kind: 'open' }

/** A queue whose jobs end when the test says so. */
function controlledQueue() {
  const posted: { message: FromWorker; transfer: readonly ArrayBuffer[] }[] = []
  const running: { end: (result: JobResult) => void; fail: (error: Error) => void; signal: AbortSignal }[] = []
  let closed = 0
  const engine: Engine = {
    run: (_, { signal }) =>
      new Promise((resolve, reject) => {
        running.push({ end: resolve, fail: reject, signal })
      }),
  }
  const answer = createJobQueue(engine, (message, transfer) => posted.push({ message, transfer }), () => (closed += 1))
  return { posted, running, answer, closed: () => closed, messages: () => posted.map(({ message }) => message) }
}

/** Lets all promises that can go on, go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('runs jobs in turn, in the order they came', async () => {
  const { answer, running, messages } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'job', id: 2, job: open })
  await turn()
  expect(running).toHaveLength(1)
  running[0]?.end(null)
  await turn()
  expect(running).toHaveLength(2)
  running[1]?.end(null)
  await turn()
  expect(messages().map((message) => [message.type, 'id' in message && message.id])).toEqual([['done', 1], ['done', 2]])
})

test('goes on after a job that failed', async () => {
  const { answer, running, messages } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'job', id: 2, job: open })
  await turn()
  running[0]?.fail(new Error('broken'))
  await turn()
  running[1]?.end(null)
  await turn()
  expect(messages()).toMatchObject([{ type: 'failed', id: 1, error: { code: 'MODEL_FAILED' } }, { type: 'done', id: 2 }])
})

test('drops a job that is cancelled while it waits, and tells one that runs', async () => {
  const { answer, running, messages } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'job', id: 2, job: open })
  await turn()
  answer({ type: 'cancel', id: 2 })
  answer({ type: 'cancel', id: 1 })
  expect(running[0]?.signal.aborted).toBe(true)
  running[0]?.end(null)
  await turn()
  expect(running).toHaveLength(1)
  expect(messages()).toMatchObject([{ type: 'done', id: 1 }, { type: 'failed', id: 2, error: { code: 'ABORTED' } }])
})

test('takes a cancel for a job that is over, or never was', async () => {
  const { answer, messages } = controlledQueue()
  answer({ type: 'cancel', id: 5 })
  await turn()
  expect(messages()).toEqual([])
})

test('moves the buffers that a result fills, and copies others', async () => {
  const { answer, running, posted } = controlledQueue()
  const own = new Float32Array(4)
  const part = new Float32Array(8).subarray(0, 4)
  answer({ type: 'job', id: 1, job: { kind: 'encode', pictures: [] } })
  await turn()
  running[0]?.end([{ data: own, tokens: 2, width: 2 }, { data: part, tokens: 2, width: 2 }])
  await turn()
  expect(posted[0]?.transfer).toEqual([own.buffer])
})

test('closes once the job under way has ended, and tells all to stop', async () => {
  const { answer, running, closed } = controlledQueue()
  answer({ type: 'job', id: 1, job: open })
  answer({ type: 'job', id: 2, job: open })
  await turn()
  answer({ type: 'close' })
  await turn()
  expect([closed(), running[0]?.signal.aborted]).toEqual([0, true])
  running[0]?.end(null)
  await turn()
  expect([closed(), running.length]).toEqual([1, 1])
})
