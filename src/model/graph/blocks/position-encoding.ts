import type { GraphBuilder } from '../builder.js'
import { cast, concat, cosine, float32, multiply, range, reshape, sine, unsqueeze } from '../ops.js'
import type { DataType, Value } from '../value.js'

/** `exp(2i · -(ln 10000 / width))`, rounded to float32 at each step as the reference does it. */
function frequencies(width: number): Float32Array {
  const step = Math.fround(-(Math.log(10000) / width))
  return Float32Array.from({ length: width / 2 }, (_, i) => Math.exp(Math.fround(2 * i * step)))
}

/** What an encoding is added to. */
export interface EncodingType {
  readonly width: number
  readonly dataType: DataType
}

/**
 * The resamplers' sinusoidal position encoding for positions 0 … count - 1 (Vaswani et al. 2017;
 * reference: `PositionalEncoding` in `model/connector/groupresampler.py`).
 *
 * ```
 * positions · frequencies ─┬ Sin ─┬ interleave ─ Cast(float16) ─ Cast(dataType) ─► [count, width]
 *                          └ Cos ─┘
 * ```
 *
 * Rounded through float16: the reference keeps it in half precision, whatever the model runs in.
 *
 * @param count int64 scalar.
 * @param type The result's width, which is even, and its type.
 */
export function positionEncoding(graph: GraphBuilder, count: Value, { width, dataType }: EncodingType): Value {
  const positions = unsqueeze(graph, cast(graph, range(graph, count, 'positions'), 'float32'), [1])
  const angles = multiply(graph, positions, float32(graph, frequencies(width)))
  const waves = [sine(graph, angles), cosine(graph, angles)].map((wave) => unsqueeze(graph, wave, [2]))
  const interleaved = reshape(graph, concat(graph, waves, 2, 2), [-1, width], ['positions', width])
  return cast(graph, cast(graph, interleaved, 'float16'), dataType)
}
