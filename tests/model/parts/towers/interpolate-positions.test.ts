/** Against torch's own `interpolate`: the goldens `dinov2-group` (larger) and `dinov2-swiglu` (smaller) in `convert/stages.test.ts`. */
import { expect, test } from 'vitest'

import { interpolatePositions } from '../../../../src/model/parts/towers/interpolate-positions.js'

test('the class token\'s position stays, and a flat table stays flat', () => {
  const table = Float32Array.from([7, 8, ...new Array<number[]>(9).fill([1, 2]).flat()])
  const result = interpolatePositions(table, { from: 3, to: 5, width: 2 })
  expect(result).toHaveLength((1 + 25) * 2)
  expect([...result.subarray(0, 2)]).toEqual([7, 8])
  for (let place = 2; place < result.length; place += 2) {
    expect(result[place]).toBeCloseTo(1, 6)
    expect(result[place + 1]).toBeCloseTo(2, 6)
  }
})

test('rows stay rows and columns stay columns', () => {
  const rowNumbers = Float32Array.from([0, ...Array.from({ length: 36 }, (_, place) => Math.floor(place / 6))])
  const result = interpolatePositions(rowNumbers, { from: 6, to: 4, width: 1 }).subarray(1)
  for (let row = 0; row < 4; row += 1) expect(new Set(result.subarray(row * 4, row * 4 + 4)).size).toBe(1)
  const rows = [0, 4, 8, 12].map((place) => result[place] ?? NaN)
  expect(rows).toEqual([...rows].sort((one, other) => one - other))
})
