/**
 * A seeded source of numbers in [0, 1), with 32 bits each: the same seed gives the same numbers everywhere.
 *
 * sfc32 (Chris Doty-Humphrey's PractRand, public domain) with the seed's low and high 32 bits as state.
 *
 * @param seed Integer from 0 to 2^53 - 1.
 */
export function createRandom(seed: number): () => number {
  let a = seed >>> 0
  let b = Math.floor(seed / 2 ** 32) >>> 0
  let c = 0
  let counter = 1

  const next = (): number => {
    const sum = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0
    return sum / 2 ** 32
  }
  // The first numbers of near seeds are alike; PractRand throws these many away.
  for (let round = 0; round < 12; round += 1) next()
  return next
}
