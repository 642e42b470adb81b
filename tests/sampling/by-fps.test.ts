import { describe, expect, test } from 'vitest'

import { byFps, createFpsRule, slotOf } from '../../src/sampling/by-fps.js'

describe('byFps', () => {
  test('is a plain value', () => {
    expect(byFps(0.5)).toEqual({ kind: 'fps', fps: 0.5 })
  })

  test.each([0, -1, Number.NaN, Infinity])('refuses %s', (fps) => {
    expect(() => byFps(fps)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})

describe('createFpsRule', () => {
  /** Places of the frames that the rule keeps. */
  const keptOf = (times: readonly number[], fps: number): number[] => {
    const isKept = createFpsRule(fps)
    return times.flatMap((time, place) => (isKept(time) ? [place] : []))
  }
  /** Times of a constant rate in milliseconds, rounded to `digits` behind the point. */
  const timesAt = (fps: number, count: number, digits: number): number[] =>
    Array.from({ length: count }, (_, place) => Number(((place * 1000) / fps).toFixed(digits)))

  test.each([24, 25, 29.97, 30, 60])('keeps every frame of %s fps at its own rate, for an hour', (fps) => {
    const times = timesAt(fps, 3600 * fps, 3)
    expect(keptOf(times, fps)).toHaveLength(times.length)
  })

  test.each([3, 0])('keeps every second frame of 24 fps at 12 fps, with %i digits of a millisecond', (digits) => {
    expect(keptOf(timesAt(24, 12, digits), 12)).toEqual([0, 2, 4, 6, 8, 10])
  })

  test('keeps the first frame of each slot of a variable rate', () => {
    expect(keptOf([0, 10, 400, 1100, 1200, 3900, 4000, 4001], 1)).toEqual([0, 3, 5, 6])
  })

  test('counts slots from media time 0, wherever reading begins', () => {
    const times = timesAt(25, 500, 3)
    const fromStart = keptOf(times, 2).map((place) => times[place])
    const fromMiddle = keptOf(times.slice(130), 2).map((place) => times[place + 130])
    // The first frame read begins a slot that is under way; from the next slot on both agree.
    expect(fromMiddle.slice(1)).toEqual(fromStart.filter((time) => (time ?? 0) > (fromMiddle[0] ?? 0)))
  })

  test('keeps none that goes back in time', () => {
    expect(keptOf([0, 1000, 0, 1000, 2000], 1)).toEqual([0, 1, 4])
  })
})

test('slotOf lets a frame be one millisecond early, for containers that round', () => {
  expect(slotOf(999, 1)).toBe(1)
  expect(slotOf(998.9, 1)).toBe(0)
})
