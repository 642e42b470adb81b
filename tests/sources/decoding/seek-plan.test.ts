import { describe, expect, test } from 'vitest'

import { planDecoding, startCostOf } from '../../../src/sources/decoding/seek-plan.js'
import { trackOf } from '../helpers/track.js'

/** An hour of 25 fps with a keyframe each second. */
const hour = trackOf({ pictures: 90_000, keyframeEvery: 25 })

describe('planDecoding', () => {
  test('decodes a short video in one run', () => {
    const jobs = planDecoding(trackOf({ pictures: 125, keyframeEvery: 25 }), [0, 60, 124])
    expect(jobs).toEqual([
      {
        seekSeconds: undefined,
        pictures: [{ index: 0, times: 1 }, { index: 60, times: 1 }, { index: 124, times: 1 }],
        decodedPictures: 125,
      },
    ])
  })

  test('seeks to one keyframe before the last keyframe at or before a picture', () => {
    const [, job] = planDecoding(hour, [0, 45_010])
    // 45,010 follows the keyframe 45,000, at 1800 s; the one before is at 1799 s.
    expect(job?.seekSeconds).toBeCloseTo(1799.001, 6)
    expect(job?.decodedPictures).toBe(45_010 - 44_975 + 1)
  })

  test('seeks to more keyframes before it where it is told to', () => {
    const [, job] = planDecoding(hour, [0, 45_010], { lead: 8 })
    expect(job?.seekSeconds).toBeCloseTo(1792.001, 6)
    expect(job?.decodedPictures).toBe(45_010 - 44_800 + 1)
  })

  test('begins at the beginning where there are not as many, and decodes all in one run from there', () => {
    expect(planDecoding(hour, [200], { lead: 8 }).map(({ seekSeconds }) => seekSeconds)).toEqual([undefined])
    const jobs = planDecoding(hour, [0, 45_000, 89_999], { lead: Infinity })
    expect(jobs.map(({ seekSeconds, decodedPictures }) => [seekSeconds, decodedPictures])).toEqual([[undefined, 90_000]])
  })

  test('counts a keyframe itself as its own last keyframe', () => {
    const [, job] = planDecoding(hour, [0, 45_000])
    expect(job?.seekSeconds).toBeCloseTo(1799.001, 6)
  })

  test('seeks from where the container starts to count', () => {
    const late = { ...hour, firstTicks: 1480, startSeconds: 1.4 }
    const [, job] = planDecoding(late, [0, 45_010])
    expect(job?.seekSeconds).toBeCloseTo(1799 + 0.08 + 0.001, 6)
  })

  test.each([0, 24, 25, 49])('does not seek for picture %i, within the first two keyframes', (index) => {
    const [job] = planDecoding(hour, [index], { startCost: -Infinity })
    expect(job?.seekSeconds).toBeUndefined()
  })

  test('never seeks where there is one keyframe', () => {
    const jobs = planDecoding(trackOf({ pictures: 90_000, keyframeEvery: 90_000 }), [0, 45_000, 89_999])
    expect(jobs).toHaveLength(1)
    expect(jobs[0]?.seekSeconds).toBeUndefined()
  })

  test('shares a run between neighbours as long as that is cheaper than another start', () => {
    // A start costs 30 pictures here, and from a keyframe before it another 35 to 45,010.
    const gapOf = (first: number) => planDecoding(hour, [first, 45_010], { startCost: 30 }).length
    expect(gapOf(45_010 - 65)).toBe(1)
    expect(gapOf(45_010 - 66)).toBe(2)
  })

  test('counts a picture that is wanted twice once, and says so', () => {
    const [job] = planDecoding(hour, [3, 3, 3, 4])
    expect(job?.pictures).toEqual([{ index: 3, times: 3 }, { index: 4, times: 1 }])
  })

  test('splits what would be too long for one command', () => {
    const every25th = Array.from({ length: 3600 }, (_, second) => second * 25)
    const jobs = planDecoding(hour, every25th)
    expect(jobs.map(({ pictures }) => pictures.length)).toEqual([500, 500, 500, 500, 500, 500, 500, 100])
    expect(jobs.flatMap(({ pictures }) => pictures.map(({ index }) => index))).toEqual(every25th)
  })

  test('decodes any number of neighbours in one run: they are one span', () => {
    const all = Array.from({ length: 90_000 }, (_, index) => index)
    expect(planDecoding(hour, all)).toHaveLength(1)
  })

  test('decodes everything in one run where pictures have no timestamps', () => {
    const jobs = planDecoding({ ...hour, hasTimestamps: false }, [0, 45_000, 89_999])
    expect(jobs).toHaveLength(1)
    expect(jobs[0]?.seekSeconds).toBeUndefined()
  })

  test('decodes at most two groups of pictures for each of 16 frames of an hour', () => {
    const indices = Array.from({ length: 16 }, (_, place) => Math.floor((place * 89_999) / 15))
    const jobs = planDecoding(hour, indices)
    expect(jobs).toHaveLength(16)
    expect(Math.max(...jobs.map(({ decodedPictures }) => decodedPictures))).toBeLessThanOrEqual(50)
  })
})

test('startCostOf weighs a start against the size of the pictures', () => {
  const costs = [96 * 54, 640 * 360, 1920 * 1080, 3840 * 2160].map((pixels) => Math.round(startCostOf({ pixels })))
  expect(costs).toEqual([1457, 225, 28, 7])
})
