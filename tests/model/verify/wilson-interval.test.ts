import { expect, test } from 'vitest'

import { wilsonInterval } from '../../../src/model/verify/wilson-interval.js'

test.each([
  [0, 10, 0, 0.2775],
  [5, 10, 0.2366, 0.7634],
  [10, 10, 0.7225, 1],
  [475, 500, 0.9272, 0.9659],
])('%i of %i', (right, total, low, high) => {
  const [actualLow, actualHigh] = wilsonInterval(right, total)
  expect(actualLow).toBeCloseTo(low, 4)
  expect(actualHigh).toBeCloseTo(high, 4)
})
