import { expect, test } from 'vitest'
import { stopReason } from '../../../src/model/runtime/stopping.js'

const rules = { eosTokenIds: [9], endTextIds: [4, 5], maxNewTokens: 4 }

test('goes on while nothing ends the answer', () => {
  expect(stopReason([], rules)).toBeUndefined()
  expect(stopReason([5], rules)).toBeUndefined()
  expect(stopReason([9, 1], rules)).toBeUndefined()
  expect(stopReason([4, 5, 1], rules)).toBeUndefined()
})

test('stops at an end token, at the end text, at the limit', () => {
  expect(stopReason([1, 9], rules)).toBe('stop')
  expect(stopReason([1, 4, 5], rules)).toBe('stop')
  expect(stopReason([1, 2, 3, 4], rules)).toBe('length')
  expect(stopReason([1, 2, 4, 5], rules)).toBe('stop')
})

test('an end text without tokens ends nothing', () => {
  expect(stopReason([1], { ...rules, endTextIds: [] })).toBeUndefined()
})
