import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { planThreads } from '../../../src/model/runtime/threads.js'

test('gives every session all threads, but one to what is a single operator, and lets only the decoders spin', () => {
  const plan = planThreads(6)
  const single = Object.entries(plan).filter(([, { intraOpNumThreads }]) => intraOpNumThreads === 1).map(([graph]) => graph)
  expect(single).toEqual(['joinFrames', 'embedTokens'])
  expect(plan.visionEncoder.intraOpNumThreads).toBe(6)
  const spinning = Object.entries(plan).filter(([, { allowSpinning }]) => allowSpinning).map(([graph]) => graph)
  expect(spinning).toEqual(['decoder', 'appendingDecoder'])
})

test('takes the cores of the machine where nothing is said', () => {
  expect(planThreads().decoder.intraOpNumThreads).toBe(availableParallelism())
})

test.each([0, -1, 1.5, 5000, NaN])('refuses %s threads', (threads) => {
  expect(() => planThreads(threads)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})
