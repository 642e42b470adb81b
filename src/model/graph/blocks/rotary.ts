import { narrowToFloat16 } from '../../float16.js'
import { type GraphBuilder, MICROSOFT } from '../builder.js'
import type { Value, WeightData } from '../value.js'

/** Geometry of a rotary position embedding. */
export interface RotaryGeometry {
  /** Base of the frequencies, `rope_theta`. */
  readonly theta: number
  /** What positions are divided by. */
  readonly factor: number
  /** How many values of each head are rotated; even, at most the head's size. */
  readonly rotated: number
  /** Positions the tables cover. */
  readonly positions: number
  /** Type of what is rotated. */
  readonly dataType: 'float32' | 'float16'
}

/** Cosines and sines, each `[positions, rotated / 2]`. */
export interface RotaryTables {
  readonly cosine: Value
  readonly sine: Value
}

// About 1 MiB of float32 at a time.
const CHUNK_VALUES = 1 << 18

/**
 * The tables of a rotary position embedding: `cos(p / factor · θ^(-2i/rotated))` (Su et al. 2021).
 *
 * Frequencies and angles are rounded to float32 at each step, as transformers 4.40.1 computes them
 * (`Qwen2RotaryEmbedding`, `PhiRotaryEmbedding`); float16 tables are rounded from those.
 */
export function rotaryTables(graph: GraphBuilder, geometry: RotaryGeometry): RotaryTables {
  return {
    cosine: graph.weight(rotaryTable('rotary.cosine', geometry, Math.cos)),
    sine: graph.weight(rotaryTable('rotary.sine', geometry, Math.sin)),
  }
}

/** `Math.cos` or `Math.sin`. */
type Wave = (angle: number) => number

function rotaryTable(key: string, geometry: RotaryGeometry, wave: Wave): WeightData {
  const { positions, rotated, dataType } = geometry
  const shape = [positions, rotated / 2]
  return dataType === 'float32'
    ? { key, dataType, shape, bytes: positions * rotated * 2, read: () => float32Rows(geometry, wave) }
    : { key: `${key}:float16`, dataType, shape, bytes: positions * rotated, read: () => float16Rows(geometry, wave) }
}

async function* float32Rows(geometry: RotaryGeometry, wave: Wave): AsyncGenerator<Uint8Array> {
  for (const rows of tableRows(geometry, wave)) yield await Promise.resolve(new Uint8Array(rows.buffer, 0, rows.byteLength))
}

async function* float16Rows(geometry: RotaryGeometry, wave: Wave): AsyncGenerator<Uint8Array> {
  for (const rows of tableRows(geometry, wave)) {
    const bits = new Uint16Array(rows.length)
    narrowToFloat16(rows, bits)
    yield await Promise.resolve(new Uint8Array(bits.buffer))
  }
}

/** Some rows at a time, in a buffer that is used again. */
function* tableRows({ theta, factor, rotated, positions }: RotaryGeometry, wave: Wave): Generator<Float32Array<ArrayBuffer>> {
  const half = rotated / 2
  const frequencies = inverseFrequencies(theta, rotated)
  const rows = Math.max(1, Math.floor(CHUNK_VALUES / half))
  const values = new Float32Array(rows * half)
  for (let first = 0; first < positions; first += rows) {
    const count = Math.min(rows, positions - first)
    for (let row = 0; row < count; row += 1) {
      const position = Math.fround((first + row) / factor)
      for (let i = 0; i < half; i += 1) values[row * half + i] = wave(Math.fround(position * (frequencies[i] ?? 0)))
    }
    yield values.subarray(0, count * half)
  }
}

function inverseFrequencies(theta: number, rotated: number): Float32Array {
  return Float32Array.from({ length: rotated / 2 }, (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / rotated)))
}

/**
 * Rotates queries or keys by their positions (ONNX Runtime's `RotaryEmbedding`).
 *
 * @param x `[batch, sequence, heads * headSize]`.
 * @param positions int64 `[batch, sequence]`.
 */
export function rotate(graph: GraphBuilder, x: Value, positions: Value, tables: RotaryTables, heads: number): Value {
  const rotated = Number(tables.cosine.shape[1]) * 2
  const attributes = { interleaved: 0, num_heads: heads, rotary_embedding_dim: rotated }
  return graph.node('RotaryEmbedding', [x, positions, tables.cosine, tables.sine], x, { attributes, domain: MICROSOFT })
}
