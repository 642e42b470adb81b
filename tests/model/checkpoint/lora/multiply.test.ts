import { expect, test } from 'vitest'

import { multiply } from '../../../../src/model/checkpoint/lora/multiply.js'
import { seededNormals } from '../../../support/seeded.js'

/** The same product, one sum after the other. */
function plainly(up: Float32Array, down: Float32Array, [rows, rank, columns]: readonly [number, number, number]): readonly number[] {
  return Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns]
    let sum = 0
    for (let k = 0; k < rank; k += 1) sum += (up[row * rank + k] ?? NaN) * (down[k * columns + column] ?? NaN)
    return sum
  })
}

test.each([
  [8, 16, 6],
  [1, 1, 1],
  [5, 3, 7],
  [7, 128, 2],
  [66, 5, 33],
] as const)('[%i, %i] by as many rows and %i columns, to the last bit, also where no tile fits', (rows, rank, columns) => {
  const [up, down] = [seededNormals(rows * rank), seededNormals(rank * columns)]
  const { values, stride } = multiply(up, down, { rows, rank, columns })
  const product = Array.from({ length: rows * columns }, (_, at) => values[Math.floor(at / columns) * stride + (at % columns)])
  expect(product).toEqual(plainly(up, down, [rows, rank, columns]))
})
