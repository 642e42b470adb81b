import { describe, expect, test } from 'vitest'

import { expectInteger, expectNumber, expectText } from '../src/checks.js'

const refusal = (message: string): unknown => expect.objectContaining({ code: 'SETTING_INVALID', message })

describe('expectInteger', () => {
  test('returns what is within the bounds, both included', () => {
    expect([expectInteger('n', 1, 1), expectInteger('n', 5, 1, 5)]).toEqual([1, 5])
  })

  test.each([
    [0, 'Expected `n` to be an integer from 1 to 5, got `0` (number).'],
    [6, 'Expected `n` to be an integer from 1 to 5, got `6` (number).'],
    [1.5, 'Expected `n` to be an integer from 1 to 5, got `1.5` (number).'],
    [Number.NaN, 'Expected `n` to be an integer from 1 to 5, got `NaN` (number).'],
    ['3', 'Expected `n` to be an integer from 1 to 5, got `"3"` (string).'],
    [undefined, 'Expected `n` to be an integer from 1 to 5, got `undefined` (undefined).'],
  ])('refuses %o', (value, message) => {
    expect(() => expectInteger('n', value, 1, 5)).toThrow(refusal(message))
  })

  test('names the lower bound alone where there is no upper one', () => {
    expect(() => expectInteger('n', 0, 1)).toThrow(refusal('Expected `n` to be an integer >= 1, got `0` (number).'))
    expect(() => expectInteger('n', 2 ** 53, 1)).toThrow()
  })
})

describe('expectNumber', () => {
  test('returns what is within the bounds', () => {
    expect(expectNumber('x', 0.1, { min: 0 })).toBe(0.1)
    expect(expectNumber('x', 0, { min: 0, inclusive: true })).toBe(0)
    expect(expectNumber('x', 1, { min: 0, max: 1 })).toBe(1)
  })

  test.each([
    [0, 'Expected `x` to be a finite number above 0 and at most 1, got `0` (number).'],
    [1.1, 'Expected `x` to be a finite number above 0 and at most 1, got `1.1` (number).'],
    [Number.NaN, 'Expected `x` to be a finite number above 0 and at most 1, got `NaN` (number).'],
    ['1', 'Expected `x` to be a finite number above 0 and at most 1, got `"1"` (string).'],
  ])('refuses %o', (value, message) => {
    expect(() => expectNumber('x', value, { min: 0, max: 1 })).toThrow(refusal(message))
  })

  test('infinity is no number of anything', () => {
    expect(() => expectNumber('x', Infinity, { min: 0, inclusive: true })).toThrow(
      refusal('Expected `x` to be a finite number >= 0, got `Infinity` (number).'),
    )
  })
})

describe('expectText', () => {
  test('returns text as it is', () => {
    expect(expectText('id', ' door ')).toBe(' door ')
  })

  test.each([
    ['', 'Expected `id` to be a string that is not empty, got `""` (string).'],
    ['  ', 'Expected `id` to be a string that is not empty, got `"  "` (string).'],
    [7, 'Expected `id` to be a string that is not empty, got `7` (number).'],
  ])('refuses %o', (value, message) => {
    expect(() => expectText('id', value)).toThrow(refusal(message))
  })
})

test('a long value is cut in the message', () => {
  expect(() => expectInteger('n', 'x'.repeat(1000), 1)).toThrow(/got `"x{56}\.\.\.` \(string\)\.$/)
})
