import { StreamError } from '../../errors.js'
import { narrowToFloat16 } from '../float16.js'
import type { WeightData } from '../graph/value.js'
import { readFloat32 } from './float32-stream.js'
import { type TensorEntry, countElements, showOrigin } from './tensor.js'

/** Sees the bytes of each tensor as they stand in the checkpoint, while it is read. */
export type RawListener = (tensor: TensorEntry, raw: Uint8Array) => void

const INFINITY = 0x7c00

/**
 * A checkpoint's tensor as weights of a graph.
 *
 * @param onRaw For the digest of what was read.
 */
export function tensorWeight(tensor: TensorEntry, dataType: 'float32' | 'float16', onRaw?: RawListener): WeightData {
  const elements = countElements(tensor.shape)
  const listen = onRaw && ((raw: Uint8Array): void => { onRaw(tensor, raw) })
  const shared = { dataType, shape: tensor.shape }
  return dataType === 'float32'
    ? { ...shared, key: tensor.name, bytes: elements * 4, read: () => readAsFloat32(tensor, listen) }
    : { ...shared, key: `${tensor.name}:float16`, bytes: elements * 2, read: () => readAsFloat16(tensor, listen) }
}

type Listen = ((raw: Uint8Array) => void) | undefined

async function* readAsFloat32(tensor: TensorEntry, listen: Listen): AsyncGenerator<Uint8Array> {
  for await (const values of readFloat32(tensor, listen)) yield bytesOf(values)
}

/** @throws {StreamError} `CHECKPOINT_UNSUPPORTED` where a value is too large for float16. */
async function* readAsFloat16(tensor: TensorEntry, listen: Listen): AsyncGenerator<Uint8Array> {
  let bits = new Uint16Array(0)
  for await (const values of readFloat32(tensor, listen)) {
    if (bits.length < values.length) bits = new Uint16Array(values.length)
    const piece = bits.subarray(0, values.length)
    narrowToFloat16(values, piece)
    if (piece.some((pattern) => (pattern & 0x7fff) >= INFINITY)) throw tooLargeForFloat16(tensor)
    yield bytesOf(piece)
  }
}

/** A weight that float16 can't hold is never clamped: what the model then answers was never looked at. */
function tooLargeForFloat16(tensor: TensorEntry): StreamError {
  const advice = 'Convert with --precision fp32, int8 or int4.'
  return new StreamError('CHECKPOINT_UNSUPPORTED', `Tensor ${showOrigin(tensor)} holds a value that float16 has not (above 65504). ${advice}`)
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
