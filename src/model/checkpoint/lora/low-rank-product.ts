import { narrowToFloat16, widenFloat16 } from '../../float16.js'
import { multiply } from './multiply.js'

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
export function addRows(values: Float32Array, { up, down, rank, columns, scale, skipped }: ProductRows): void {
  const rows = Math.ceil((skipped + values.length) / columns)
  const sums = multiply(up, down, { rows, rank, columns })
  const row = new Float32Array(columns)
  const bits = new Uint16Array(columns)
  for (let index = 0; index < rows; index += 1) {
    const from = index * sums.stride
    // As PyTorch: the product, then its scaling, each in float32; then float16.
    for (let column = 0; column < columns; column += 1) row[column] = Math.fround(sums.values[from + column] ?? 0) * scale
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
