import { widenFloat16 } from '../float16.js'
import type { ElementType } from './tensor.js'

/**
 * Widens elements as they stand in a checkpoint to float32, exactly.
 *
 * @param raw Aligned to the element's size.
 * @param into Takes as many values as `raw` has elements.
 */
export function widen(raw: Uint8Array, elementType: ElementType, into: Float32Array): void {
  WIDEN[elementType](raw, into)
}

const WIDEN: Readonly<Record<ElementType, (raw: Uint8Array, into: Float32Array) => void>> = {
  F32: (raw, into) => {
    into.set(new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4))
  },
  F16: (raw, into) => {
    widenFloat16(halves(raw), into)
  },
  BF16: (raw, into) => {
    // bfloat16 is the upper half of float32.
    const bits = halves(raw)
    const words = new Uint32Array(into.buffer, into.byteOffset, bits.length)
    for (let i = 0; i < bits.length; i += 1) words[i] = (bits[i] ?? 0) << 16
  },
}

const halves = (raw: Uint8Array): Uint16Array => new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2)
