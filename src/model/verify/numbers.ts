/** Cosine of the angle between two vectors of one length: 1 where they point the same way. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, lengthA, lengthB] = [0, 0, 0]
  for (let index = 0; index < a.length; index += 1) {
    const [x, y] = [a[index] ?? NaN, b[index] ?? NaN]
    product += x * y
    lengthA += x * x
    lengthB += y * y
  }
  if (lengthA === 0 && lengthB === 0) return 1
  return product / Math.sqrt(lengthA * lengthB)
}

/** Length of the difference, as a share of the expected vector's length. */
export function relativeError(found: Float32Array, expected: Float32Array): number {
  let [error, length] = [0, 0]
  for (let index = 0; index < expected.length; index += 1) {
    const wanted = expected[index] ?? NaN
    error += ((found[index] ?? NaN) - wanted) ** 2
    length += wanted ** 2
  }
  if (error === 0) return 0
  return Math.sqrt(error / length)
}

/**
 * How much is lost where one distribution stands for another: `Σ p · ln(p / q)`, in nats (Kullback & Leibler 1951).
 *
 * @param expected Logits of `p`.
 * @param found Logits of `q`, as many.
 */
export function divergence(expected: Float32Array, found: Float32Array): number {
  const [normP, normQ] = [logSumExp(expected), logSumExp(found)]
  let sum = 0
  for (let index = 0; index < expected.length; index += 1) {
    const [logP, logQ] = [(expected[index] ?? NaN) - normP, (found[index] ?? NaN) - normQ]
    sum += Math.exp(logP) * (logP - logQ)
  }
  // Rounding can leave a hair less than nothing.
  return Math.max(0, sum)
}

function logSumExp(logits: Float32Array): number {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  return highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0))
}
