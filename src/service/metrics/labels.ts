/** The label value of everything that is over a bound. */
export const OTHER = 'other'

/**
 * Bounds the values of a label of counters: the first `limit` that are met keep their names for ever, all
 * later ones are one, `other`.
 *
 * For ever, because a counter that moved from its own name to `other` would let both jump.
 */
export function boundedLabel(limit: number): (value: string) => string {
  const named = new Set<string>()
  return (value) => {
    if (named.has(value)) return value
    if (named.size >= limit) return OTHER
    named.add(value)
    return value
  }
}
