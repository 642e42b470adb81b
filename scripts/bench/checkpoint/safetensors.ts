import { open } from 'node:fs/promises'

import { smallValues } from '../random-numbers.js'
import type { Filling, TensorPlan } from './tensors.js'

const ELEMENT_BYTES = 2

/** 1 in BF16: the upper half of float32's. */
const ONE = 0x3f80

// Large enough for full disk speed and for no two tensors to be alike in their first rows.
const BLOCK_ELEMENTS = 8 * 1024 ** 2

/** Where a tensor is filled from, `bytes` at a time. */
interface Blocks {
  readonly random: Buffer
  readonly ones: Buffer
  readonly zeros: Buffer
}

/**
 * Writes tensors as one BF16 safetensors file. Takes little memory, whatever is written.
 *
 * @param ordinaryTokens Rows of `embeddings` that are filled; the rest is 0.
 */
export async function writeSafetensors(path: string, tensors: readonly TensorPlan[], ordinaryTokens: number): Promise<void> {
  const blocks = makeBlocks()
  const handle = await open(path, 'w')
  try {
    await handle.appendFile(header(tensors))
    let begin = 0
    for (const { shape, filling } of tensors) {
      const bytes = bytesOf(shape)
      const filled = filling === 'embeddings' ? bytesOf([ordinaryTokens, ...shape.slice(1)]) : bytes
      // Each begins elsewhere in the block, so that the layers of a model differ.
      for (const piece of pieces(blocks[blockOf(filling)], filled, begin)) await handle.appendFile(piece)
      for (const piece of pieces(blocks.zeros, bytes - filled, 0)) await handle.appendFile(piece)
      begin += bytes
    }
  } finally {
    await handle.close()
  }
}

const bytesOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, ELEMENT_BYTES)
const blockOf = (filling: Filling): keyof Blocks => (filling === 'embeddings' ? 'random' : filling)

/** The length of the JSON (u64, little endian) and the JSON. */
function header(tensors: readonly TensorPlan[]): Buffer {
  let end = 0
  const entries = tensors.map(({ name, shape }) => {
    const begin = end
    end += bytesOf(shape)
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }] as const
  })
  // transformers refuses a file that doesn't say which library wrote it.
  const json = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json])
}

/** `bytes` of a block that is begun somewhere inside and repeated. */
function* pieces(block: Buffer, bytes: number, begin: number): Generator<Buffer> {
  let position = begin % block.length
  for (let left = bytes; left > 0; ) {
    const piece = block.subarray(position, Math.min(block.length, position + left))
    yield piece
    left -= piece.length
    position = (position + piece.length) % block.length
  }
}

function makeBlocks(): Blocks {
  const bytes = (values: Uint16Array): Buffer => Buffer.from(values.buffer)
  return {
    random: bytes(randomValues(BLOCK_ELEMENTS)),
    ones: bytes(new Uint16Array(BLOCK_ELEMENTS).fill(ONE)),
    zeros: bytes(new Uint16Array(BLOCK_ELEMENTS)),
  }
}

/** Small BF16 values of both signs, from a fixed seed: the upper halves of float32's. */
function randomValues(count: number): Uint16Array {
  const bits = new Uint32Array(smallValues(count, 1).buffer)
  return Uint16Array.from(bits, (value) => value >>> 16)
}
