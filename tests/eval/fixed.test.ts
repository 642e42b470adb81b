import { expect, test } from 'vitest'

import { fixed } from '../../src/eval/fixed.js'

// What CPython 3.11 makes of `format(value, f'.{digits}f')`.
test.each([
  [3.125, 2, '3.12'],
  [9.375, 2, '9.38'],
  [0.125, 2, '0.12'],
  [0.375, 2, '0.38'],
  [-3.125, 2, '-3.12'],
  [0.0625, 3, '0.062'],
  [0.5, 0, '0'],
  [1.5, 0, '2'],
  [33.33333333333333, 2, '33.33'],
  [1.005, 2, '1.00'],
  [100, 2, '100.00'],
  [66.66666666666666, 2, '66.67'],
])('%d with %d decimals is %s', (value, digits, text) => {
  expect(fixed(value, digits)).toBe(text)
})
