import { narrowToFloat16, roundToFloat16 } from '../float16.js'
import { type BlockFormat, blockBytes, blocksPerRow } from './block-format.js'
import { type Block, fitScale, nearestCode } from './fit-scale.js'

/** Rows in their quantised form: see `BlockFormat`. */
export interface QuantisedRows {
  readonly packed: Uint8Array<ArrayBuffer>
  /** Little endian, of the format's type. */
  readonly scales: Uint8Array<ArrayBuffer>
}

/**
 * Quantises whole rows of a matrix.
 *
 * @param values Row by row.
 * @param columns Length of a row.
 * @returns `undefined` where a value is not finite, or a scale is too large for float16.
 */
export function quantiseRows(values: Float32Array, columns: number, format: BlockFormat): QuantisedRows | undefined {
  const blocks = blocksPerRow(columns, format)
  const count = (values.length / columns) * blocks
  const packed = new Uint8Array(count * blockBytes(format))
  const scales = new Float32Array(count)
  const pack = format.bits === 4 ? packHalves : packBytes
  const roundScale = format.scaleType === 'float16' ? toFloat16Scale : Math.fround
  for (let index = 0; index < count; index += 1) {
    const block = blockAt(values, columns, index, format)
    const scale = roundScale(fitScale(block, format.bits))
    if (!Number.isFinite(scale)) return undefined
    scales[index] = scale
    // Rounded anew: with the scale as it is kept, each value takes the code that is nearest now.
    pack(block, scale === 0 ? 0 : 1 / scale, packed.subarray(index * blockBytes(format), (index + 1) * blockBytes(format)))
  }
  return { packed, scales: scaleData(scales, format) }
}

// Float16's smallest number of full precision. Below it scales would lose their own digits, and GPUs may take them for zero.
const SMALLEST_FLOAT16 = 2 ** -14

/** The nearest float16 that keeps its precision; zero stays zero. */
function toFloat16Scale(scale: number): number {
  if (scale === 0) return 0
  return Math.sign(scale) * Math.max(SMALLEST_FLOAT16, Math.abs(roundToFloat16(scale)))
}

function blockAt(values: Float32Array, columns: number, index: number, format: BlockFormat): Block {
  const blocks = blocksPerRow(columns, format)
  const row = Math.floor(index / blocks)
  const first = (index % blocks) * format.blockSize
  const begin = row * columns + first
  return { values, begin, end: begin + Math.min(format.blockSize, columns - first) }
}

function packBytes({ values, begin, end }: Block, inverse: number, into: Uint8Array): void {
  into.fill(128)
  for (let i = begin; i < end; i += 1) into[i - begin] = nearestCode((values[i] ?? 0) * inverse, 128) + 128
}

function packHalves({ values, begin, end }: Block, inverse: number, into: Uint8Array): void {
  into.fill(0x88)
  for (let i = begin; i < end; i += 2) {
    const low = nearestCode((values[i] ?? 0) * inverse, 8) + 8
    const high = i + 1 < end ? nearestCode((values[i + 1] ?? 0) * inverse, 8) + 8 : 8
    into[(i - begin) >> 1] = low | (high << 4)
  }
}

function scaleData(scales: Float32Array<ArrayBuffer>, { scaleType }: BlockFormat): Uint8Array<ArrayBuffer> {
  if (scaleType === 'float32') return new Uint8Array(scales.buffer)
  const bits = new Uint16Array(scales.length)
  narrowToFloat16(scales, bits)
  return new Uint8Array(bits.buffer)
}
