/** Bits of a quantised weight. */
export type Bits = 4 | 8

/** Sizes of a block that are offered: what ONNX Runtime has quick kernels for on all its devices. */
export const BLOCK_SIZES = [32, 64, 128] as const

/** How many values along a row share a scale. */
export type BlockSize = (typeof BLOCK_SIZES)[number]

/**
 * How a matrix `[rows, columns]` is quantised: each row in blocks, each block with a scale of its own.
 *
 * ```
 * value = (code - zero point) · scale        zero point 8 of 4 bits, 128 of 8 bits
 * packed  u8 [rows, blocks, blockSize · bits / 8], of 4 bits the first value in the low half of a byte
 * scales     [rows, blocks]
 * ```
 *
 * The layout of ONNX Runtime's `MatMulNBits` and `GatherBlockQuantized` without zero points; a row's last
 * block is filled up with the zero point.
 */
export interface BlockFormat {
  readonly bits: Bits
  readonly blockSize: BlockSize
  /** Type of the scales, which is that of the activations. */
  readonly scaleType: 'float32' | 'float16'
}

/** Blocks of a row. */
export function blocksPerRow(columns: number, { blockSize }: BlockFormat): number {
  return Math.ceil(columns / blockSize)
}

/** Bytes of a packed block. */
export function blockBytes({ blockSize, bits }: BlockFormat): number {
  return (blockSize * bits) / 8
}

/** Bytes of a scale. */
export function scaleBytes({ scaleType }: BlockFormat): number {
  return scaleType === 'float32' ? 4 : 2
}
