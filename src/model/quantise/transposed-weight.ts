import { StreamError } from '../../errors.js'
import { readWhole } from '../checkpoint/float32-stream.js'
import { type TensorEntry, showOrigin } from '../checkpoint/tensor.js'
import type { RawListener } from '../checkpoint/source.js'
import type { QuantisedWeight } from './quantised-weight.js'
import { quantiseTransposed } from './quantise-transposed.js'

/**
 * A checkpoint's matrix with one scale for each row, 8 bits, transposed: what `DynamicQuantizeMatMul` takes.
 *
 * A transposed matrix can only be written once it was read as a whole: it is held meanwhile. That is for
 * vision towers, whose matrices are small.
 *
 * @param tensor `[rows, columns]`.
 * @returns `packed` is uint8 `[columns, rows]`, `scales` float32 `[rows]`.
 */
export function transposedWeight(tensor: TensorEntry, { onRaw }: { readonly onRaw?: RawListener | undefined }): QuantisedWeight {
  const [rows = 0, columns = 0] = tensor.shape
  const key = `${tensor.name}:int8:transposed`
  let scales = new Float32Array(0)

  async function* readPacked(): AsyncGenerator<Uint8Array> {
    const values = await readWhole(tensor, onRaw && ((raw) => { onRaw(tensor, raw) }))
    const quantised = quantiseTransposed(values, columns)
    if (quantised === undefined) {
      throw new StreamError('CHECKPOINT_UNSUPPORTED', `Tensor ${showOrigin(tensor)} holds a value that is not finite. Check the checkpoint.`)
    }
    scales = quantised.scales
    yield quantised.codes
  }

  async function* readScales(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(scales.buffer))
  }

  return {
    packed: { key, dataType: 'uint8', shape: [columns, rows], bytes: rows * columns, read: readPacked },
    scales: { key: `${key}:scales`, dataType: 'float32', shape: [rows], bytes: rows * 4, read: readScales },
  }
}
