import { bitsOf } from '../../precision.js'
import type { Bits } from '../../quantise/block-format.js'
import { MICROSOFT } from '../builder.js'
import { type Module, widthOf } from '../module.js'
import { gather, int64, slice } from '../ops.js'
import type { Value } from '../value.js'

/**
 * Looks ids up in the module's table of embeddings, in the precision of its part: quantised they are the very
 * bytes that a tied head multiplies with.
 *
 * ```
 * fp32, fp16   ids ── Gather ────────────────────────► [batch, sequence, width]    weight
 * int8, int4   ids ── GatherBlockQuantized ─ (Slice) ─► [batch, sequence, width]    packed, scales
 * ```
 *
 * @param ids int64 `[batch, sequence]`.
 * @param table `[rows, width]`.
 */
export function embedding(module: Module, ids: Value, table: readonly [number, number]): Value {
  const bits = bitsOf(module.precision)
  if (bits === undefined) return gather(module.graph, module.parameter('weight', table), ids)
  return gatherQuantised(module, ids, table, bits)
}

function gatherQuantised(module: Module, ids: Value, [rows, width]: readonly [number, number], bits: Bits): Value {
  const { graph, precision } = module
  const { packed, scales } = module.quantised('weight', [rows, width], { bits, layout: 'rows' })
  // The last block of a row may be filled up.
  const filled = (widthOf(packed) * 8) / bits
  const type = { dataType: scales.dataType, shape: [...ids.shape, filled] }
  const looked = graph.node('GatherBlockQuantized', [packed, ids, scales], type, {
    domain: MICROSOFT,
    attributes: { bits, block_size: precision.blockSize, gather_axis: 0, quantize_axis: 1 },
  })
  if (filled === width) return looked
  const axis = ids.shape.length
  return slice(graph, looked, int64(graph, [0]), int64(graph, [width]), axis, width)
}
