/**
 * A number with so many decimals, as Python's `format(value, '.2f')` has it: a number right between two goes to the even
 * one, which `toFixed` puts up.
 */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits)
  // Only a multiple of 1/2^(digits + 1) can lie between two; times a power of 2 is exact.
  const isBetween = Number.isInteger(value * 2 ** (digits + 1)) && !Number.isInteger(value * 2 ** digits)
  if (!isBetween || Number(text.at(-1)) % 2 === 0) return text
  return (Number(text) - Math.sign(value) * 10 ** -digits).toFixed(digits)
}

/** A share with two decimals: `66.67 %`; `-` where it is a share of nothing. @param percent From 0 to 100. */
export function percentText(percent: number): string {
  return Number.isNaN(percent) ? '-' : `${fixed(percent, 2)} %`
}
