/**
 * Numbers from 0 to 1, not 1 itself; the same seed gives the same.
 *
 * A linear congruential generator (Numerical Recipes): quick, and good enough where speed is measured and not chance.
 */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** `count` values from -0.03 to 0.03, as weights and embeddings are. */
export function smallValues(count: number, seed: number): Float32Array {
  const next = randomNumbers(seed)
  return Float32Array.from({ length: count }, () => (next() - 0.5) * 0.06)
}
