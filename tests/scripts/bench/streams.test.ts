import { expect, test } from 'vitest'

import { benchStreams } from '../../../scripts/bench/streams.js'

test('streams count from their first answers on: one each 4 frames, and as many with many streams as with one', async () => {
  const [sustained, growth] = await benchStreams({ counts: [1, 2], frames: 16, steadyFrames: 8, rounds: 1 })
  expect(sustained?.figure).toBe('32 s of video, 8 answers')
  expect(growth?.figure).toMatch(/\(of 4\)$/)
  expect(growth?.against).toMatch(/\(of 4\)$/)
})
