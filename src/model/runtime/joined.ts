/** One behind the other, in an array of their own; a single one as it is. */
export function joined<Values extends Float32Array | Uint16Array | Uint8Array>(make: new (length: number) => Values, parts: readonly Values[]): Values {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const whole = new make(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
