/** A matrix `[rows, columns]` of 8 bits with one scale for each row, transposed: `value = (code - 128) · scale`. */
export interface TransposedMatrix {
  /** `[columns, rows]`. */
  readonly codes: Uint8Array<ArrayBuffer>
  /** `[rows]`. */
  readonly scales: Float32Array<ArrayBuffer>
}

// One code is left out, so that both signs reach as far.
const LARGEST_CODE = 127

/** The code of 0. Not signed codes around 0: their products saturate on processors without VNNI (ONNX Runtime 1.30). */
export const ZERO_CODE = 128

/**
 * Quantises each row by its largest value and transposes the whole.
 *
 * @param values Row by row.
 * @returns `undefined` where a value is not finite.
 */
export function quantiseTransposed(values: Float32Array, columns: number): TransposedMatrix | undefined {
  const rows = values.length / columns
  const codes = new Uint8Array(values.length)
  const scales = new Float32Array(rows)
  for (let row = 0; row < rows; row += 1) {
    const scale = Math.fround(largest(values, row * columns, columns) / LARGEST_CODE)
    if (!Number.isFinite(scale)) return undefined
    scales[row] = scale
    const inverse = scale === 0 ? 0 : 1 / scale
    for (let column = 0; column < columns; column += 1) {
      codes[column * rows + row] = Math.round((values[row * columns + column] ?? 0) * inverse) + ZERO_CODE
    }
  }
  return { codes, scales }
}

/** Largest magnitude; NaN where there is one. */
function largest(values: Float32Array, begin: number, count: number): number {
  let found = 0
  for (let i = begin; i < begin + count; i += 1) {
    const magnitude = Math.abs(values[i] ?? 0)
    if (Number.isNaN(magnitude)) return NaN
    if (magnitude > found) found = magnitude
  }
  return found
}
