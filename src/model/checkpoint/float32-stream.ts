import { open } from 'node:fs/promises'

import { StreamError } from '../../errors.js'
import { ELEMENT_BYTES, type ElementType, type TensorEntry } from './safetensors.js'

// Large enough for full disk speed, small enough that memory doesn't depend on the model's size.
const CHUNK_ELEMENTS = 1 << 20

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

function float16Values(): Float32Array {
  float16Table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => float16ToNumber(bits))
  return float16Table
}

/** How `count` elements of each type become float32. `raw` is aligned to the element size. */
const WIDEN: Readonly<Record<ElementType, (raw: Uint8Array, count: number, into: Float32Array) => void>> = {
  F32: (raw, count, into) => {
    into.set(new Float32Array(raw.buffer, raw.byteOffset, count))
  },
  F16: (raw, count, into) => {
    const bits = new Uint16Array(raw.buffer, raw.byteOffset, count)
    const values = float16Values()
    for (let i = 0; i < count; i += 1) into[i] = values[bits[i] ?? 0] ?? 0
  },
  BF16: (raw, count, into) => {
    // bfloat16 is the upper half of float32.
    const bits = new Uint16Array(raw.buffer, raw.byteOffset, count)
    const words = new Uint32Array(into.buffer, into.byteOffset, count)
    for (let i = 0; i < count; i += 1) words[i] = (bits[i] ?? 0) << 16
  },
}

/**
 * Reads a tensor as float32 (little endian, row by row) in pieces of at most 4 MiB.
 *
 * A piece is valid only until the next one is asked for: its buffer is used again.
 *
 * @param onRaw Called with the bytes as they stand in the checkpoint, piece by piece, for digests.
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID` if the file ends early.
 */
export async function* readFloat32(tensor: TensorEntry, onRaw?: (raw: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const elementBytes = ELEMENT_BYTES[tensor.elementType]
  const elements = tensor.bytes / elementBytes
  const capacity = Math.min(CHUNK_ELEMENTS, elements)
  const raw = new Uint8Array(new ArrayBuffer(capacity * elementBytes))
  const values = new Float32Array(capacity)
  const handle = await open(tensor.file, 'r')
  try {
    for (let done = 0; done < elements; done += capacity) {
      const count = Math.min(capacity, elements - done)
      const piece = raw.subarray(0, count * elementBytes)
      const { bytesRead } = await handle.read(piece, 0, piece.length, tensor.offset + done * elementBytes)
      if (bytesRead < piece.length) {
        throw new StreamError('CHECKPOINT_WEIGHTS_INVALID', `${tensor.file} was cut while tensor ${tensor.name} was read.`)
      }
      onRaw?.(piece)
      WIDEN[tensor.elementType](piece, count, values)
      yield new Uint8Array(values.buffer, 0, count * 4)
    }
  } finally {
    await handle.close()
  }
}
