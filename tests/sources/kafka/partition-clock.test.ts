import fc from 'fast-check'
import { expect, test } from 'vitest'

import { PartitionClock } from '../../../src/sources/kafka/partition-clock.js'

test('is the time of the latest message, whatever comes after it', () => {
  const clock = new PartitionClock()
  expect(clock.nowMs).toBe(-Infinity)
  clock.take({ offset: 0, timestampMs: 1000 })
  clock.take({ offset: 1, timestampMs: 10 })
  expect(clock.nowMs).toBe(1000)
})

test('goes on anywhere as if it had never stopped', () => {
  const times = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1 })
  fc.assert(
    fc.property(times, fc.array(fc.nat(), { maxLength: 5 }), (list, places) => {
      const clock = new PartitionClock()
      for (const [offset, timestampMs] of list.entries()) clock.take({ offset, timestampMs })
      for (const place of places.map((each) => each % (list.length + 1)).sort((a, b) => a - b)) {
        const again = new PartitionClock(clock.at(place))
        expect(again.nowMs).toBe(Math.max(-Infinity, ...list.slice(0, place)))
        for (const [offset, timestampMs] of list.entries()) if (offset >= place) again.take({ offset, timestampMs })
        expect(again.nowMs).toBe(clock.nowMs)
      }
    }),
  )
})
