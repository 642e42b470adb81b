import { describe, expect, test } from 'vitest'

import { allFrames } from '../../src/sampling/all-frames.js'
import { atIndices } from '../../src/sampling/at-indices.js'
import { byFps } from '../../src/sampling/by-fps.js'
import { checkSampling } from '../../src/sampling/check-sampling.js'
import { uniformPerSecond } from '../../src/sampling/uniform-per-second.js'
import { uniform } from '../../src/sampling/uniform.js'

const kinds = [
  ['allFrames', allFrames, { kind: 'all' }],
  ['byFps', (options?: object) => byFps(2, options), { kind: 'fps', fps: 2 }],
  ['uniform', (options?: object) => uniform(4, options), { kind: 'uniform', frames: 4 }],
  ['atIndices', (options?: object) => atIndices([0, 2], options), { kind: 'indices', indices: [0, 2] }],
  ['uniformPerSecond', uniformPerSecond, { kind: 'uniform-per-second', maxFrames: 64 }],
] as const

describe.each(kinds)('%s', (_, make, exact) => {
  test('says that keyframes will do, and nothing where frames have to be exact', () => {
    expect(make()).toEqual(exact)
    expect(make({ keyframesOnly: false })).toEqual(exact)
    expect(make({ keyframesOnly: true })).toEqual({ ...exact, keyframesOnly: true })
  })

  test('makes a value that passes the check of values from elsewhere', () => {
    for (const keyframesOnly of [true, false]) {
      expect(checkSampling({ ...exact, keyframesOnly })).toEqual({ ...exact, keyframesOnly })
    }
    const refused = expect.objectContaining({ code: 'SETTING_INVALID' }) as Error
    expect(() => checkSampling({ ...exact, keyframesOnly: 1 })).toThrow(refused)
  })

  test.each([{ keyframesOnly: 'yes' }, { keyframesOnly: null }, { exact: false }])('refuses %j', (options) => {
    expect(() => make(options as object)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
