import { float16ToNumber } from '../../src/model/float16.js'
import { type BlockFormat, blockBytes, blocksPerRow } from '../../src/model/quantise/block-format.js'
import type { QuantisedRows } from '../../src/model/quantise/quantise-rows.js'

/** The values that codes and scales stand for, row by row: written from the format's description, code by code. */
export function dequantise({ packed, scales }: QuantisedRows, columns: number, format: BlockFormat): Float64Array {
  const blocks = blocksPerRow(columns, format)
  const kept = format.scaleType === 'float32' ? new Float32Array(scales.buffer) : Float32Array.from(new Uint16Array(scales.buffer), float16ToNumber)
  const rows = kept.length / blocks
  return Float64Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns]
    const block = row * blocks + Math.floor(column / format.blockSize)
    const within = column % format.blockSize
    const code = codeAt(packed.subarray(block * blockBytes(format)), within, format)
    return code * (kept[block] ?? NaN)
  })
}

function codeAt(block: Uint8Array, index: number, { bits }: BlockFormat): number {
  if (bits === 8) return (block[index] ?? NaN) - 128
  const byte = block[index >> 1] ?? NaN
  return (index % 2 === 0 ? byte & 15 : byte >> 4) - 8
}
