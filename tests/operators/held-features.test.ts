import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect, test, vi } from 'vitest'

import { countFeatures, heldFeatureBytes } from '../../src/operators/held-features.js'
import type { FrameFeatures } from '../../src/types.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const FRAME_BYTES = 7 * 5 * 4

/** In a function of its own, so that nothing but the returned ones is held. */
function countSome(count: number, kept: number): readonly FrameFeatures[] {
  const frames = Array.from({ length: count }, () => ({ data: new Float32Array(7 * 5), tokens: 7, width: 5 }))
  frames.forEach(countFeatures)
  return frames.slice(0, kept)
}

test('features count from the tower until nobody holds them', async () => {
  const before = heldFeatureBytes()
  const kept = countSome(10, 3)
  expect(heldFeatureBytes() - before).toBe(10 * FRAME_BYTES)
  await vi.waitUntil(async () => {
    collectGarbage()
    await setImmediate()
    return heldFeatureBytes() - before <= 3 * FRAME_BYTES
  })
  expect(heldFeatureBytes() - before).toBe(kept.length * FRAME_BYTES)
})
