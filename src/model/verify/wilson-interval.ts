/** The 97.5 % point of the normal distribution. */
const Z = 1.959964

/**
 * The 95 % interval of a share (Wilson 1927), which stays within 0 and 1 for shares near them.
 *
 * @param total At least 1.
 */
export function wilsonInterval(right: number, total: number): readonly [low: number, high: number] {
  const share = right / total
  const centre = share + Z ** 2 / (2 * total)
  const spread = Z * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total ** 2))
  const scale = 1 + Z ** 2 / total
  return [(centre - spread) / scale, (centre + spread) / scale]
}
