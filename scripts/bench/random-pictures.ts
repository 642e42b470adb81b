import type { Pixels } from '../../src/model/model.js'
import { randomNumbers } from './random-numbers.js'

/** Square pictures of noise; the same seed gives the same. */
export function randomPictures(count: number, side: number, seed: number): readonly Pixels[] {
  const next = randomNumbers(seed)
  return Array.from({ length: count }, () => {
    const data = Uint8Array.from({ length: side * side * 3 }, () => Math.floor(next() * 256))
    return { data, width: side, height: side }
  })
}
