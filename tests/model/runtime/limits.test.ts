import { expect, test } from 'vitest'
import { gpuDevice } from '../../../src/model/device/device.js'
import { planLimits } from '../../../src/model/runtime/limits.js'

test('fills in what was left out', () => {
  expect(planLimits({ maxAnswers: 2 })).toEqual({
    maxAnswers: 2, maxBurstMs: 50, prefillChunk: 64, prefixCacheMb: 512, maxVisionBatch: 1, maxVisionWaitMs: 5,
  })
})

test('takes larger runs on a GPU, and never longer ones than the device can be trusted with', () => {
  expect(planLimits({}, gpuDevice('webgpu', false))).toMatchObject({ prefillChunk: 512, maxVisionBatch: 16 })
  expect(planLimits({ prefillChunk: 100 }, gpuDevice('webgpu', true))).toMatchObject({ prefillChunk: 24 })
})

test.each([
  { maxAnswers: 0 }, { maxAnswers: 1.5 }, { maxBurstMs: -1 }, { maxBurstMs: NaN }, { prefillChunk: 0 }, { prefixCacheMb: -1 },
  { maxVisionBatch: 0 }, { maxVisionBatch: 5000 }, { maxVisionWaitMs: -1 }, { maxVisionWaitMs: Infinity }, { maxVisionWaitMs: 1e9 }, { maxAnswer: 3 },
])('refuses %j', (limits) => {
  const [name = ''] = Object.keys(limits)
  expect(() => planLimits(limits)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining(name) as unknown }))
})
