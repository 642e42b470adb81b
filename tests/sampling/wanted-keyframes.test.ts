import { describe, expect, test } from 'vitest'

import { allFrames } from '../../src/sampling/all-frames.js'
import { byFps } from '../../src/sampling/by-fps.js'
import { uniformPerSecond } from '../../src/sampling/uniform-per-second.js'
import { uniform } from '../../src/sampling/uniform.js'
import { wantedKeyframes } from '../../src/sampling/wanted-keyframes.js'

const only = { keyframesOnly: true }

/** Ten seconds at 4 fps; keyframes at 0, 1, 3, 4.25, 9 s. */
const timeline = {
  ptsMs: Array.from({ length: 41 }, (_, place) => place * 250),
  averageFps: 4,
  keyframes: [0, 4, 12, 17, 36],
}

describe('wantedKeyframes', () => {
  test.each([
    ['every keyframe', allFrames(only), [0, 4, 12, 17, 36]],
    ['the first keyframe of each slot', byFps(0.5, only), [0, 12, 17, 36]],
    // 0, 10, 20, 30, 40: of 12 and 17 the one nearer to 20; 36 stands for two.
    ['the nearest to each of five', uniform(5, only), [0, 12, 17, 36]],
    ['no more than there are', uniform(40, only), [0, 4, 12, 17, 36]],
    ['the nearest to each whole second', uniformPerSecond({ maxFrames: 3, ...only }), [0, 17, 36]],
  ] as const)('finds %s', (_, sampling, expected) => {
    expect(wantedKeyframes(sampling, timeline)).toEqual(expected)
  })

  test('takes the earlier of two that are as near', () => {
    const evenly = { ptsMs: [0, 10, 20, 30, 40], averageFps: 4, keyframes: [1, 3, 4] }
    expect(wantedKeyframes(uniform(3, only), evenly)).toEqual([1, 4])
  })

  test('goes by time and not by place', () => {
    const paused = { ptsMs: [0, 10, 2000, 2010, 2020], averageFps: 4, keyframes: [1, 3, 4] }
    expect(wantedKeyframes(uniform(3, only), paused)).toEqual([1, 3, 4])
  })

  test('starts with the first keyframe where the first frame is none', () => {
    expect(wantedKeyframes(uniform(2, only), { ...timeline, keyframes: [12, 36] })).toEqual([12, 36])
    expect(wantedKeyframes(byFps(1, only), { ...timeline, keyframes: [12] })).toEqual([12])
  })
})
