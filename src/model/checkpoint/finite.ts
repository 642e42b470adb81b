import type { ElementType } from './tensor.js'

// The exponent of infinities and of what is not a number: all ones.
const EXPONENTS: Readonly<Record<ElementType, number>> = { F32: 0x7f80_0000, F16: 0x7c00, BF16: 0x7f80 }

/**
 * Whether all elements are numbers: none infinite, none NaN.
 *
 * @param raw As it stands in the checkpoint; aligned to the element's size.
 */
export function isAllFinite(raw: Uint8Array, elementType: ElementType): boolean {
  const exponent = EXPONENTS[elementType]
  const words = elementType === 'F32'
    ? new Int32Array(raw.buffer, raw.byteOffset, raw.length / 4)
    : new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2)
  // By index: all weights pass here, and `for … of` and `every` take eight times as long.
  let index = 0
  while (index < words.length && ((words[index] ?? 0) & exponent) !== exponent) index += 1
  return index === words.length
}
