/** Element types of the graphs we write. */
export type DataType = 'float32' | 'float16' | 'int64' | 'int32' | 'uint8' | 'bool'

/** A fixed size, or the name of a size known only when the graph runs. */
export type Dimension = number | string

/** One edge of a graph. Its name is its address: `/layers.0/self_attn/q_proj/Gemm`. */
export interface Value {
  readonly name: string
  readonly dataType: DataType
  readonly shape: readonly Dimension[]
}

/** Weights that are streamed into a graph's data file when the graph is written. */
export interface WeightData {
  /** Identity: two graphs that name the same key share the same bytes on disk. */
  readonly key: string
  readonly dataType: DataType
  readonly shape: readonly number[]
  readonly bytes: number
  /** The bytes, little endian, row by row. A piece is valid until the next is asked for. */
  read(): AsyncIterable<Uint8Array>
}
