import { StreamError } from '../../errors.js'
import { ELEMENT_BYTES } from '../checkpoint/tensor.js'
import { widen } from '../checkpoint/widen.js'
import type { QuantiseJob } from './protocol.js'
import { type QuantisedRows, quantiseRows } from './quantise-rows.js'

// Used by one job after the other: a worker does them in turn.
let scratch = new Float32Array(0)

/**
 * Quantises one job's rows.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED` where a value is not finite, or too large for a float16 scale.
 */
export function runJob({ tensor, raw, elementType, columns, format }: QuantiseJob): QuantisedRows {
  const count = raw.length / ELEMENT_BYTES[elementType]
  if (scratch.length < count) scratch = new Float32Array(count)
  const values = scratch.subarray(0, count)
  widen(raw, elementType, values)
  const rows = quantiseRows(values, columns, format)
  if (rows !== undefined) return rows
  const message = `Tensor ${tensor} holds a value that can't be quantised: none, infinite, or too large for a scale in float16.`
  throw new StreamError('CHECKPOINT_UNSUPPORTED', `${message} Check the checkpoint, or convert with --precision fp32.`)
}
