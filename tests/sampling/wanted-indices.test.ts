import { expect, test } from 'vitest'

import { allFrames } from '../../src/sampling/all-frames.js'
import { atIndices } from '../../src/sampling/at-indices.js'
import { byFps } from '../../src/sampling/by-fps.js'
import { uniformPerSecond } from '../../src/sampling/uniform-per-second.js'
import { uniform } from '../../src/sampling/uniform.js'
import { wantedIndices } from '../../src/sampling/wanted-indices.js'

/** Two and a half seconds at 4 fps. */
const timeline = { ptsMs: Array.from({ length: 10 }, (_, place) => place * 250), averageFps: 4 }

test.each([
  ['every frame', allFrames(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ['two each second', byFps(2), [0, 2, 4, 6, 8]],
  ['four evenly', uniform(4), [0, 3, 6, 9]],
  ['more than there are', uniform(12), [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9]],
  ['one for each whole second', uniformPerSecond(), [0, 9]],
  ['those at given places, in the order they are shown', atIndices([9, 0, 4, 4]), [0, 4, 4, 9]],
  ['one at most', uniformPerSecond({ maxFrames: 1 }), [0]],
] as const)('finds %s', (_, sampling, expected) => {
  expect(wantedIndices(sampling, timeline)).toEqual(expected)
})

test('a place behind the end is an error, not another frame', () => {
  const refused = expect.objectContaining({ code: 'SETTING_INVALID', message: 'Frame 10 is wanted, and the stream has 10, counted from 0.' }) as Error
  expect(() => wantedIndices(atIndices([10, 3]), timeline)).toThrow(refused)
})
