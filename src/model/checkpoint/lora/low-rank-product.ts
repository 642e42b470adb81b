import { narrowToFloat16, widenFloat16 } from '../../float16.js'

/** A stretch of the matrix `scale · up · down`. */
export interface ProductRows {
  /** The rows that the stretch touches, `[rows, rank]`. */
  readonly up: Float32Array
  /** `[rank, columns]`. */
  readonly down: Float32Array
  readonly rank: number
  readonly columns: number
  readonly scale: number
  /** Elements of the first row that lie before the stretch. */
  readonly skipped: number
}

/** Adds a stretch of the product, rounded to float16, to as many values; each sum is rounded to float32. */
export function addRows(values: Float32Array, product: ProductRows): void {
  const { columns, skipped } = product
  const sums = new Float64Array(columns)
  const row = new Float32Array(columns)
  const bits = new Uint16Array(columns)
  for (let index = 0; index * columns < skipped + values.length; index += 1) {
    multiplyRow(sums, product, index)
    // As PyTorch: the product, then its scaling, each in float32; then float16.
    for (let column = 0; column < columns; column += 1) row[column] = Math.fround(sums[column] ?? 0) * product.scale
    narrowToFloat16(row, bits)
    widenFloat16(bits, row)
    addRow(values, row, index * columns - skipped)
  }
}

/** Adds a row to the part of `values` it covers; it begins at `at`, which is negative where its beginning is not wanted. */
function addRow(values: Float32Array, row: Float32Array, at: number): void {
  const end = Math.min(row.length, values.length - at)
  for (let column = Math.max(0, -at); column < end; column += 1) {
    values[at + column] = (values[at + column] ?? 0) + (row[column] ?? 0)
  }
}

/** One row of `up · down`. Four rows of `down` at a time: each sum is loaded and stored a quarter as often. */
function multiplyRow(sums: Float64Array, { up, down, rank, columns }: ProductRows, index: number): void {
  sums.fill(0)
  const factor = (k: number): number => (k < rank ? (up[index * rank + k] ?? 0) : 0)
  for (let k = 0; k < rank; k += 4) {
    const [a, b, c, d] = [factor(k), factor(k + 1), factor(k + 2), factor(k + 3)]
    const at = k * columns
    for (let column = 0; column < columns; column += 1) {
      const from = at + column
      sums[column] = (sums[column] ?? 0) + a * (down[from] ?? 0) + b * (down[from + columns] ?? 0)
        + c * (down[from + 2 * columns] ?? 0) + d * (down[from + 3 * columns] ?? 0)
    }
  }
}
