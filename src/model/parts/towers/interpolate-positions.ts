/** A square table of positions, and the size it is wanted in. */
export interface PositionGrid {
  /** Positions along each side of the table. */
  readonly from: number
  /** Positions along each side that are wanted. */
  readonly to: number
  /** Values of a position. */
  readonly width: number
}

/** A place between the table's rows, as four of them with their shares. */
interface Taps {
  readonly rows: readonly number[]
  readonly shares: readonly number[]
}

// Of cubic convolution (Keys 1981), as torch has it; Pillow's is -0.5.
const A = -0.75

// Added to the wanted size by DINOv2's code, against rounding errors of the size that comes out.
const OFFSET = 0.1

/**
 * Stretches DINOv2's table of positions to another size of picture: bicubic without antialiasing, its edges repeated,
 * by the factor `(to + 0.1) / from` (transformers 4.40.1, `Dinov2Embeddings.interpolate_pos_encoding`, which calls
 * torch's `interpolate`). Sums are in float64 where torch's are in float32.
 *
 * @param table float32 `[1 + from * from, width]`: the class token's position, which stays, and the patches' row by row.
 * @returns float32 `[1 + to * to, width]`.
 */
export function interpolatePositions(table: Float32Array, { from, to, width }: PositionGrid): Float32Array {
  const result = new Float32Array((1 + to * to) * width)
  result.set(table.subarray(0, width))
  const taps = Array.from({ length: to }, (_, place) => tapsOf(place, from, to))
  const patches = table.subarray(width)
  taps.forEach((vertical, y) => {
    taps.forEach((horizontal, x) => {
      const into = result.subarray((1 + y * to + x) * width, (2 + y * to + x) * width)
      for (let channel = 0; channel < width; channel += 1) {
        into[channel] = mix(vertical, (row) => mix(horizontal, (column) => patches[(row * from + column) * width + channel] ?? 0))
      }
    })
  })
  return result
}

function tapsOf(place: number, from: number, to: number): Taps {
  const source = ((place + 0.5) * from) / (to + OFFSET) - 0.5
  const first = Math.floor(source)
  const fraction = source - first
  return {
    rows: [-1, 0, 1, 2].map((step) => Math.min(from - 1, Math.max(0, first + step))),
    shares: [far(1 + fraction), near(fraction), near(1 - fraction), far(2 - fraction)],
  }
}

/** Share of a row at most 1 away. */
const near = (distance: number): number => ((A + 2) * distance - (A + 3)) * distance * distance + 1

/** Share of a row between 1 and 2 away. */
const far = (distance: number): number => ((A * distance - 5 * A) * distance + 8 * A) * distance - 4 * A

const mix = ({ rows, shares }: Taps, valueAt: (row: number) => number): number =>
  rows.reduce((sum, row, tap) => sum + (shares[tap] ?? 0) * valueAt(row), 0)
