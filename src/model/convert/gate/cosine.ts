/** Cosine of the angle between two vectors of the same length: 1 where they point the same way. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let products = 0
  let squaresOfA = 0
  let squaresOfB = 0
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    products += x * y
    squaresOfA += x * x
    squaresOfB += y * y
  }
  return products / Math.sqrt(squaresOfA * squaresOfB)
}
