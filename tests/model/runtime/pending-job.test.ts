import { expect, test } from 'vitest'
import { PendingJob } from '../../../src/model/runtime/pending-job.js'

function listen() {
  const texts: string[] = []
  const nothing = (): void => undefined
  const job = new PendingJob({ kind: 'open' }, { onDelta: (text) => texts.push(text) }, nothing, nothing, nothing)
  return { job, texts }
}

test('hands text on as it comes', () => {
  const { job, texts } = listen()
  job.deliver('A ')
  job.deliver('circle')
  expect(texts).toEqual(['A ', 'circle'])
})

test('leaves out what was delivered before the job was repeated, however it is cut', () => {
  const { job, texts } = listen()
  job.deliver('A red')
  job.restart()
  job.deliver('A')
  job.deliver(' red cir')
  job.restart()
  job.deliver('A red')
  job.deliver(' circle')
  expect(texts).toEqual(['A red', ' cir', 'cle'])
})

test('listens to its signal until it is settled', () => {
  const abort = new AbortController()
  let stops = 0
  const nothing = (): void => undefined
  const job = new PendingJob({ kind: 'open' }, { signal: abort.signal }, () => (stops += 1), nothing, nothing)
  job.resolve(null)
  abort.abort()
  expect(stops).toBe(0)
})
