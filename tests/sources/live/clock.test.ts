import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { LiveClock } from '../../../src/sources/live/clock.js'

const START = 1_800_000_000_000

describe('LiveClock', () => {
  test('takes a late arrival for late, and an early one for the truth', () => {
    const clock = new LiveClock()
    expect(clock.takenAt(0, START + 300)).toBe(START + 300)
    expect(clock.takenAt(40, START + 40)).toBe(START + 40)
    // A stall of two seconds, then all at once.
    expect(clock.takenAt(80, START + 2080)).toBe(START + 80)
    expect(clock.takenAt(120, START + 2081)).toBe(START + 120)
  })

  test('follows a clock that drifts by a second a day for three weeks', () => {
    const clock = new LiveClock()
    const drift = 1 + 1 / 86_400
    let worst = 0
    for (let ptsMs = 0; ptsMs < 21 * 86_400_000; ptsMs += 10_000) {
      const trueMs = START + ptsMs * drift
      worst = Math.max(worst, Math.abs(clock.takenAt(ptsMs, trueMs) - trueMs))
    }
    // What drifts in a minute.
    expect(worst).toBeLessThan(1)
  })

  test('forgets what was before a long gap', () => {
    const clock = new LiveClock()
    clock.takenAt(0, START)
    expect(clock.takenAt(100_000, START + 105_000)).toBe(START + 105_000)
  })

  test('never says that a picture was taken after it arrived', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60_000), fc.nat(5000))), (steps) => {
        const clock = new LiveClock()
        let ptsMs = 0
        for (const [stepMs, delayMs] of steps) {
          ptsMs += stepMs
          const arrivedMs = START + ptsMs + delayMs
          const takenMs = clock.takenAt(ptsMs, arrivedMs)
          expect(takenMs).toBeLessThanOrEqual(arrivedMs)
          expect(takenMs).toBeGreaterThanOrEqual(START + ptsMs)
        }
      }),
    )
  })
})
