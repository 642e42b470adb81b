/**
 * The whole numbers numpy gives for `np.linspace(0, total - 1, count, dtype=int)`.
 *
 * The step is a float64 and each product is rounded down, as numpy does it; whole-number arithmetic
 * gives other indices (e.g. for 64 of 154). The last index is `total - 1` by decree, one index alone is
 * 0, and indices repeat where `count` is above `total`.
 *
 * @param total Number of frames there are; at least 1.
 * @param count Number of indices wanted; at least 1.
 */
export function linspaceIndices(total: number, count: number): number[] {
  const last = total - 1
  const step = last / (count - 1)
  return Array.from({ length: count }, (_, place) => {
    if (place === 0) return 0
    return place === count - 1 ? last : Math.floor(place * step)
  })
}
