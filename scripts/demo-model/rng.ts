/** Draws numbers from a seeded sequence: the same seed gives the same draws on every machine. */
export interface Rng {
  /** A number in [0, 1). */
  next(): number
  /** A number in [from, to). */
  between(from: number, to: number): number
  /** True with the given probability. */
  chance(probability: number): boolean
  /** One of the items, each equally likely. */
  pick<const T>(items: readonly [T, ...T[]]): T
  /** Another generator whose draws don't shift this one's. */
  fork(label: number): Rng
}

const STEP = 0x6d2b79f5

/** One step of mulberry32's output function: 32 mixed bits out of 32 counter bits. */
function mix(counter: number): number {
  let bits = Math.imul(counter ^ (counter >>> 15), counter | 1)
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
  return (bits ^ (bits >>> 14)) >>> 0
}

/**
 * Makes a mulberry32 generator.
 *
 * @param seed Any integer; its low 32 bits count.
 */
export function createRng(seed: number): Rng {
  // Mixing first keeps neighbouring seeds from giving shifted copies of one sequence.
  const start = mix((seed ^ 0x9e3779b9) >>> 0)
  let counter = start

  const next = (): number => {
    counter = (counter + STEP) >>> 0
    return mix(counter) / 2 ** 32
  }

  return {
    next,
    between: (from, to) => from + (to - from) * next(),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    fork: (label) => createRng(start ^ mix(label)),
  }
}
