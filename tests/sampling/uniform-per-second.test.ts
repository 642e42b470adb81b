import { describe, expect, test } from 'vitest'

import { uniformPerSecond, uniformPerSecondCount } from '../../src/sampling/uniform-per-second.js'
import { readReferenceIndices } from './reference-indices.js'

describe('uniformPerSecondCount', () => {
  test('equals the reference for every reference row', () => {
    const { perSecond } = readReferenceIndices()
    expect(perSecond.length).toBeGreaterThanOrEqual(200)

    const wrong = perSecond.filter(
      ([frames, averageFps, maxFrames, expected]) => uniformPerSecondCount({ frames, averageFps, maxFrames }) !== expected,
    )
    expect(wrong).toEqual([])
  })
})

describe('uniformPerSecond', () => {
  test('takes at most 64 frames unless told otherwise', () => {
    expect(uniformPerSecond()).toEqual({ kind: 'uniform-per-second', maxFrames: 64 })
    expect(uniformPerSecond({ maxFrames: 128 })).toEqual({ kind: 'uniform-per-second', maxFrames: 128 })
  })

  test.each([0, 1.5, Number.NaN])('refuses maxFrames %s', (maxFrames) => {
    expect(() => uniformPerSecond({ maxFrames })).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
