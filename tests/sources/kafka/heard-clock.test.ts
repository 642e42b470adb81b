import { expect, test } from 'vitest'

import { HeardClock } from '../../../src/sources/kafka/heard-clock.js'

test('counts the time between answers, and nothing of an outage', () => {
  let now = 5000
  const clock = new HeardClock(1000, () => now)
  const after = (ms: number): number => {
    now += ms
    clock.heard()
    return clock.nowMs
  }
  expect(clock.nowMs).toBe(0)
  expect([after(0), after(200), after(300), after(600_000), after(200)]).toEqual([0, 200, 500, 500, 700])
})
