import { expect, test } from 'vitest'

import { createLane } from '../../src/service/sink-lane.js'
import { settled } from '../operators/fakes.js'
import { createAnswer } from '../sinks/contract.js'
import { createFakeSink } from './fakes.js'

test('writes one result at a time, in order', async () => {
  const sink = createFakeSink({ isSlow: true })
  const lane = createLane(sink)
  const [first, second] = [lane.write(createAnswer('1')), lane.write(createAnswer('2'))]
  await settled()
  expect([sink.results.length, lane.waiting]).toEqual([1, 2])
  sink.waiting[0]?.resolve()
  await first
  await settled()
  sink.waiting[1]?.resolve()
  await second
  expect(sink.results).toMatchObject([{ answer: '1' }, { answer: '2' }])
  expect(lane.waiting).toBe(0)
})

test('after a failure nothing more is written', async () => {
  const sink = createFakeSink({ isSlow: true })
  const lane = createLane(sink)
  const writes = Promise.allSettled([lane.write(createAnswer('1')), lane.write(createAnswer('2'))])
  await settled()
  sink.waiting[0]?.reject(new Error('no space left'))
  expect(await writes).toMatchObject([{ reason: { code: 'SINK_FAILED' } }, { reason: { code: 'ABORTED' } }])
  expect([sink.results.length, lane.waiting]).toEqual([1, 0])
})

test('stopped, it lets the write under way go on and rejects what waits', async () => {
  const sink = createFakeSink({ isSlow: true })
  const lane = createLane(sink)
  const writes = Promise.allSettled(['1', '2', '3'].map((text) => lane.write(createAnswer(text))))
  await settled()
  lane.stop()
  sink.waiting[0]?.resolve()
  expect(await writes).toMatchObject([
    { status: 'fulfilled' },
    { reason: { code: 'ABORTED' } },
    { reason: { code: 'ABORTED' } },
  ])
  expect([sink.results.length, lane.waiting]).toEqual([1, 0])
})
