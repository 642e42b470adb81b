/** Largest finite value of float16. */
export const LARGEST_FLOAT16 = 65504

// Bit patterns of float32: the smallest that is normal in float16 (2^-14), the smallest that rounds to infinity (65520).
const SMALLEST_NORMAL = 0x38800000
const ROUNDS_TO_INFINITY = 0x477ff000
const INFINITY = 0x7f800000

// Added to a float64 and taken away again it rounds to a whole number, to the even one of two.
const ROUND = 2 ** 52 * 1.5

/** The float32 value of every float16 bit pattern; 256 KiB, made at first use. */
let float16Table: Float32Array | undefined

/** Decodes IEEE 754 half precision. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Decodes many float16 bit patterns; `into` takes as many values. */
export function widenFloat16(bits: Uint16Array, into: Float32Array): void {
  float16Table ??= Float32Array.from({ length: 1 << 16 }, (_, pattern) => float16ToNumber(pattern))
  for (let i = 0; i < bits.length; i += 1) into[i] = float16Table[bits[i] ?? 0] ?? 0
}

/**
 * Encodes float32 as float16, to the nearest and to the even one of two; what is above `LARGEST_FLOAT16`
 * by half a step or more becomes infinity.
 *
 * @param into Takes as many values.
 */
export function narrowToFloat16(values: Float32Array, into: Uint16Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < words.length; i += 1) into[i] = float16Bits(words[i] ?? 0)
}

// One float32 and its bit pattern.
const single = new Float32Array(1)
const singleBits = new Uint32Array(single.buffer)

/** Rounds a number to the nearest that float16 has. */
export function roundToFloat16(value: number): number {
  single[0] = value
  return float16ToNumber(float16Bits(singleBits[0] ?? 0))
}

/** From the bit pattern of a float32 to that of the nearest float16. */
function float16Bits(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude >= ROUNDS_TO_INFINITY) return sign | (magnitude > INFINITY ? 0x7e00 : 0x7c00)
  if (magnitude < SMALLEST_NORMAL) return sign | subnormalBits(magnitude)
  // 112 is the difference of the exponents' biases; half of the 13 bits that go is added, or just less for an even rest.
  return sign | ((magnitude - (112 << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

/** Below 2^-14 float16 counts in steps of 2^-24. */
function subnormalBits(magnitude: number): number {
  const exponent = magnitude >>> 23
  if (exponent === 0) return 0
  const value = (1 + (magnitude & 0x7fffff) / 2 ** 23) * 2 ** (exponent - 127)
  return value * 2 ** 24 + ROUND - ROUND
}
