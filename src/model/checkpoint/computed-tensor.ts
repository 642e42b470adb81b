import { readWhole } from './float32-stream.js'
import type { RawListener } from './source.js'
import { type TensorEntry, countElements } from './tensor.js'

/** How a tensor is made from another. */
export interface Computation {
  /** Added to the other's name; the same name always means the same numbers. */
  readonly suffix: string
  readonly shape: readonly number[]
  /** All values, row by row, to all values. */
  readonly compute: (values: Float32Array) => Float32Array
}

/**
 * A tensor that is made from another one when it is read. Both are held in memory as a whole: for small ones.
 *
 * @param onRaw Sees the bytes of the other one, as they stand in the checkpoint.
 */
export function computedTensor(tensor: TensorEntry, { suffix, shape, compute }: Computation, onRaw?: RawListener): TensorEntry {
  return {
    name: `${tensor.name}:${suffix}`,
    origin: tensor.origin,
    elementType: 'F32',
    shape,
    bytes: countElements(shape) * Float32Array.BYTES_PER_ELEMENT,
    open: async () => {
      const values = compute(await readWhole(tensor, onRaw && ((raw) => { onRaw(tensor, raw) })))
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      return {
        read: (into, position) => {
          into.set(bytes.subarray(position, position + into.length))
          return Promise.resolve()
        },
        close: () => Promise.resolve(),
      }
    },
  }
}
