import type { Bits } from './block-format.js'

/** A block of a row: `values[begin … end)`. */
export interface Block {
  readonly values: Float32Array
  readonly begin: number
  readonly end: number
}

// Added to a float64 and taken away again it rounds to a whole number, several times as fast as Math.round.
const ROUND = 2 ** 52 * 1.5

/**
 * On how many steps the largest value may be laid. 7 and 127 are plain rounding's, so that no block comes out
 * worse than by that. 8 bits are so fine that cutting off doesn't pay; of 4 bits these seven come within 1 % of the error of trying 129.
 */
const STEPS: Readonly<Record<Bits, readonly number[]>> = {
  4: [6.5, 7, 7.5, 8, 8.5, 9, 9.5],
  8: [127, 128],
}

/**
 * Finds the scale of a block whose codes `-half … half - 1` come closest to its values, by squared error.
 *
 * The value of largest magnitude is laid on the negative side, which has one code more. From there scales are
 * tried that cut it off or leave room above it; for the codes each one gives, the best scale is the
 * least-squares one, `Σxq / Σq²`, which saves `(Σxq)² / Σq²` of the error: the scale that saves most wins.
 * The idea is that of llama.cpp's `make_qx_quants`; unlike there all values weigh the same, which gives the
 * least error of what comes out where nothing is known of what comes in.
 *
 * @returns The scale, negative where the largest value is positive; 0 for a block of zeros, NaN or infinite for
 *   one with a value that is not finite.
 */
export function fitScale(block: Block, bits: Bits): number {
  const { values, begin, end } = block
  const peak = signedPeak(block)
  if (peak === 0 || !Number.isFinite(peak)) return peak
  const half = 2 ** (bits - 1)
  let scale = 0
  let mostSaved = 0
  for (const steps of STEPS[bits]) {
    const inverse = -steps / peak
    let products = 0
    let squares = 0
    for (let i = begin; i < end; i += 1) {
      const value = values[i] ?? 0
      const code = nearestCode(value * inverse, half)
      products += value * code
      squares += code * code
    }
    const saved = (products * products) / squares
    if (saved > mostSaved) {
      mostSaved = saved
      scale = products / squares
    }
  }
  return scale
}

/** Value of largest magnitude, with its sign; NaN where there is one. */
function signedPeak({ values, begin, end }: Block): number {
  let peak = 0
  for (let i = begin; i < end; i += 1) {
    const value = values[i] ?? 0
    if (Number.isNaN(value)) return NaN
    if (Math.abs(value) > Math.abs(peak)) peak = value
  }
  return peak
}

/** Rounds to the nearest of `-half … half - 1`. */
export function nearestCode(value: number, half: number): number {
  return Math.max(-half, Math.min(half - 1, value)) + ROUND - ROUND
}
