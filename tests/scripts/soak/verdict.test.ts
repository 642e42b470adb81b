import { describe, expect, test } from 'vitest'

import { FrameCount } from '../../../scripts/soak/frame-count.js'
import { type Outcome, problemsOf, slopeOf } from '../../../scripts/soak/verdict.js'
import { noCounts } from '../../../src/ledger-counts.js'

const totals = { ...noCounts(), handedOut: 3, encoded: 2, dropped: { 'buffer-full': 1 }, asked: 1, answered: 1, results: 1, delivered: 1 }
const sources = ['door', 'topic'].map((id) => ({ id, totals: { answered: 1 } }))
const good: Outcome = { totals, sources, kafka: { usable: 2, read: 2 }, slope: 0.2 }

describe('problemsOf', () => {
  test('where all flows and adds up there are none', () => {
    expect(problemsOf(good)).toEqual([])
  })

  test.each<[string, Partial<Outcome>]>([
    ['nothing was answered about door', { sources: [{ id: 'door', totals: { answered: 0 } }] }],
    ['there are no sources', { sources: [] }],
    ['0 of 2 frames were read from Kafka', { kafka: { usable: 2, read: 0 } }],
    ['nothing was sent to Kafka', { kafka: { usable: 0, read: 0 } }],
    ['memory grows by 1.50 MB a minute', { slope: 1.5 }],
    ['memory was not measured', { slope: NaN }],
    ['the run failed: It broke.', { failure: new Error('It broke.') }],
    ['frames do not add up', { totals: { ...totals, handedOut: 4 } }],
    ['questions do not add up', { totals: { ...totals, asked: 2 } }],
    ['deliveries do not add up', { totals: { ...totals, results: 2 } }],
    ['something is left in flight', { totals: { ...totals, handedOut: 4, framesInFlight: 1 } }],
  ])('%s', (problem, change) => {
    expect(problemsOf({ ...good, ...change })).toEqual([problem])
  })

  test('where nothing flows, that is no balance', () => {
    const idle = sources.map(({ id }) => ({ id, totals: noCounts() }))
    expect(problemsOf({ ...good, totals: noCounts(), sources: idle, kafka: { usable: 0, read: 0 } })).toHaveLength(3)
  })
})

test('slopeOf is the growth in megabytes a minute', () => {
  expect(slopeOf([0, 1, 2, 3].map((minute) => ({ minute, megabytes: 100 + 0.5 * minute })))).toBeCloseTo(0.5)
})

test('FrameCount counts each frame of its streams once, also where some are read again', () => {
  const frames = new FrameCount(['a', 'b'])
  for (const ptsMs of [0, 1000, 3000, 0, 1000, 3000, 4000]) frames.add({ stream: { id: 'a' }, ptsMs })
  frames.add({ stream: { id: 'b' }, ptsMs: 0 })
  frames.add({ stream: { id: 'door' }, ptsMs: 0 })
  expect(frames.count).toBe(5)
})
