import { describe, expect, test } from 'vitest'

import { LiveHealth } from '../../../src/sources/live/health.js'

function healthOf(wantedFps: number, times: readonly number[]): LiveHealth {
  const health = new LiveHealth(wantedFps)
  for (const ptsMs of times) health.add(ptsMs)
  return health
}

describe('LiveHealth', () => {
  test('finds nothing missing in an even stream, however slow the camera is against the wish', () => {
    const slow = Array.from({ length: 100 }, (_, place) => place * 200)
    expect(healthOf(1, [0, 1003, 1998, 3001]).health()).toEqual({ coverage: 1, warnings: [] })
    expect(healthOf(30, slow).health()).toEqual({ coverage: 1, warnings: [] })
    expect(healthOf(1, []).health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('counts the wanted frames that a stall took', () => {
    const { coverage, warnings } = healthOf(1, [0, 1000, 5000, 6000]).health()
    expect(coverage).toBe(0.5714)
    expect(warnings).toEqual(['3 of 7 wanted frames never came from the camera.'])
  })

  test('tells of the stretch that it is asked about', () => {
    const health = healthOf(2, [0, 500, 1000, 4000, 4500, 5000])
    expect(health.health({ startMs: 4000, endMs: 5000 })).toEqual({ coverage: 1, warnings: [] })
    expect(health.health({ startMs: 0, endMs: 1000 })).toEqual({ coverage: 1, warnings: [] })
    expect(health.health({ startMs: 1000, endMs: 4000 }).coverage).toBe(0.2857)
  })

  test('looks at the last minute unless told otherwise', () => {
    const health = healthOf(1, [0, 10_000])
    expect(health.health().coverage).toBeLessThan(1)
    for (let second = 11; second <= 71; second++) health.add(second * 1000)
    expect(health.health()).toEqual({ coverage: 1, warnings: [] })
  })
})
