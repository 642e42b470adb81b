import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { planThreads } from '../../../src/model/runtime/threads.js'

test('gives every session all threads, but the look-up one, and lets only the decoder spin', () => {
  const plan = planThreads(6)
  expect(Object.values(plan).map(({ intraOpNumThreads }) => intraOpNumThreads)).toEqual([6, 6, 6, 1, 6])
  expect(Object.entries(plan).filter(([, { allowSpinning }]) => allowSpinning).map(([graph]) => graph)).toEqual(['decoder'])
})

test('takes the cores of the machine where nothing is said', () => {
  expect(planThreads().decoder.intraOpNumThreads).toBe(availableParallelism())
})

test.each([0, -1, 1.5, 5000, NaN])('refuses %s threads', (threads) => {
  expect(() => planThreads(threads)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})
