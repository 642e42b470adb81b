import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { allFrames } from '../../../src/sampling/all-frames.js'
import { byFps, createFpsRule } from '../../../src/sampling/by-fps.js'
import { uniform } from '../../../src/sampling/uniform.js'
import { checkLiveSampling, liveFilters } from '../../../src/sources/live/sampling.js'

describe('checkLiveSampling', () => {
  test('takes what needs no end', () => {
    expect(checkLiveSampling(byFps(2))).toEqual({ kind: 'fps', fps: 2 })
    expect(checkLiveSampling(allFrames())).toEqual({ kind: 'all' })
  })

  test('says what to use instead of the others', () => {
    const message = expect.stringContaining('byFps') as string
    expect(() => checkLiveSampling(uniform(4))).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message }))
  })
})

describe('liveFilters', () => {
  test('let everything through where all is wanted', () => {
    expect(liveFilters(checkLiveSampling(allFrames()))).toEqual(['setpts=PTS-STARTPTS'])
  })

  test('let every picture through that the rule keeps', () => {
    const [, select = ''] = liveFilters({ kind: 'fps', fps: 3 })
    expect(select).toBe("select='isnan(prev_t)+not(eq(floor((t+0.002)*3),floor(prev_t*3)))'")
    const times = fc.array(fc.integer({ min: 1, max: 900_000 }), { maxLength: 60 })
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 60, noNaN: true }), times, (fps, stepsUs) => {
        const isKept = createFpsRule(fps)
        let [seconds, before] = [0, NaN]
        for (const stepUs of [0, ...stepsUs]) {
          seconds += stepUs / 1e6
          const isPassed = Number.isNaN(before) || Math.floor((seconds + 0.002) * fps) !== Math.floor(before * fps)
          before = seconds
          if (isKept(seconds * 1000)) expect(isPassed).toBe(true)
        }
      }),
    )
  })
})
