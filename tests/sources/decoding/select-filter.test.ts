import { describe, expect, test } from 'vitest'

import type { DecodeJob } from '../../../src/sources/decoding/seek-plan.js'
import { passedRuns, selectExpression, selectFilters, timeBefore } from '../../../src/sources/decoding/select-filter.js'
import { trackOf } from '../helpers/track.js'

const track = { ...trackOf({ pictures: 100 }), firstTicks: 1480 }

function jobOf(indices: readonly number[]): DecodeJob {
  return { seekSeconds: undefined, pictures: indices.map((index) => ({ index, times: 1 })), decodedPictures: 1 }
}

describe('selectFilters', () => {
  test('counts time from the first picture, ends behind the last wanted one and takes spans half-way between', () => {
    expect(selectFilters(track, jobOf([3, 4, 10]))).toEqual([
      'setpts=PTS-(1480)',
      'trim=end=0.420000',
      "select='if(lt(t,0.380000),gte(t,0.100000)*lt(t,0.180000),gte(t,0.380000)*lt(t,0.420000))'",
    ])
  })

  test('counts pictures where they have no timestamps', () => {
    expect(selectFilters({ ...track, hasTimestamps: false }, jobOf([0, 5]))).toEqual([
      'trim=end_frame=6',
      "select='if(lt(n,4.500000),gte(n,-0.500000)*lt(n,0.500000),gte(n,4.500000)*lt(n,5.500000))'",
    ])
  })
})

describe('selectExpression', () => {
  test('grows with the number of spans and is nested only as deep as its logarithm', () => {
    const spans = Array.from({ length: 500 }, (_, place) => ({ from: place * 2, to: place * 2 + 1 }))
    const expression = selectExpression('t', spans)
    // Linux allows 128 KiB an argument; ffmpeg's parser 100 levels.
    expect(expression.length).toBeLessThan(50_000)
    let [depth, deepest] = [0, 0]
    for (const character of expression) {
      if (character === '(') deepest = Math.max(deepest, ++depth)
      if (character === ')') depth--
    }
    expect(deepest).toBeLessThan(15)
  })

  test('lets nothing through without a span', () => {
    expect(selectExpression('t', [])).toBe('0')
  })
})

describe('passedRuns', () => {
  test('joins neighbours', () => {
    expect(passedRuns(jobOf([0, 1, 2, 5, 7, 8]))).toEqual([
      { first: 0, last: 2 },
      { first: 5, last: 5 },
      { first: 7, last: 8 },
    ])
  })

  test('lets all between through where there are too many runs', () => {
    const everySecond = Array.from({ length: 600 }, (_, place) => place * 2)
    expect(passedRuns(jobOf(everySecond))).toEqual([{ first: 0, last: 1198 }])
  })
})

test('timeBefore lies half-way to the picture before, and as far outside the first and last', () => {
  expect([0, 1, 99, 100].map((index) => timeBefore(track, index))).toEqual([-0.02, 0.02, 3.94, 3.98])
  expect([0, 1].map((index) => timeBefore(trackOf({ pictures: 1 }), index))).toEqual([-0.0005, 0.0005])
})
