import type { TensorEntry } from './safetensors.js'
import type { WeightData } from '../graph/value.js'
import { readFloat32 } from './float32-stream.js'

/** Sees the bytes of each tensor as they stand in the checkpoint, while it is read. */
export type RawListener = (tensor: TensorEntry, raw: Uint8Array) => void

/**
 * A checkpoint's tensor as float32 weights of a graph.
 *
 * @param onRaw For the digest of what was read.
 */
export function tensorWeight(tensor: TensorEntry, onRaw?: RawListener): WeightData {
  const elements = tensor.shape.reduce((product, size) => product * size, 1)
  return {
    key: tensor.name,
    dataType: 'float32',
    shape: tensor.shape,
    bytes: elements * 4,
    read: () => readFloat32(tensor, onRaw && ((raw) => { onRaw(tensor, raw) })),
  }
}
