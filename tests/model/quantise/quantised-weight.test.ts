/** A matrix of a checkpoint, quantised while it is read: many pieces, several threads, one order. */
import { writeFileSync } from 'node:fs'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { fileTensor } from '../../../src/model/checkpoint/file-tensor.js'
import type { TensorEntry } from '../../../src/model/checkpoint/tensor.js'
import { type QuantisePool, createQuantisePool } from '../../../src/model/quantise/pool.js'
import { quantiseRows } from '../../../src/model/quantise/quantise-rows.js'
import { quantisedWeight } from '../../../src/model/quantise/quantised-weight.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'
import { seededNormals } from '../../support/seeded.js'

const format = { bits: 4, blockSize: 64, scaleType: 'float16' } as const
// More than two pieces, and rows that no piece divides.
const [rows, columns] = [901, 700]

let folder: TemporaryFolder
let pool: QuantisePool
beforeEach(() => {
  folder = temporaryFolder()
  pool = createQuantisePool(2)
})
afterEach(async () => {
  await pool.close()
  folder.remove()
})

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = []
  for await (const piece of pieces) copies.push(Buffer.from(piece))
  return Buffer.concat(copies)
}

function writeTensor(): { tensor: TensorEntry; values: Float32Array; raw: Buffer } {
  // BF16, so that widening is in it: the upper half of each value.
  const words = new Uint32Array(seededNormals(rows * columns).buffer)
  const raw = Buffer.from(Uint16Array.from(words, (word) => word >>> 16).buffer)
  const values = new Float32Array(Uint32Array.from(words, (word) => word & 0xffff0000).buffer)
  writeFileSync(folder.file('weights'), raw)
  const tensor = { name: 'w', elementType: 'BF16', shape: [rows, columns], file: folder.file('weights'), offset: 0, bytes: raw.length } as const
  return { tensor: { ...fileTensor(tensor), elementType: 'BF16' }, values, raw }
}

test('packed codes and scales are those of the whole matrix, and every byte read is told once', async () => {
  const { tensor, values, raw } = writeTensor()
  const seen: Buffer[] = []
  const { packed, scales } = quantisedWeight(tensor, { format, pool, onRaw: (_, piece) => seen.push(Buffer.from(piece)) })
  const whole = quantiseRows(values, columns, format)
  expect((await collect(packed.read())).equals(whole?.packed ?? new Uint8Array())).toBe(true)
  expect((await collect(scales.read())).equals(whole?.scales ?? new Uint8Array())).toBe(true)
  expect(seen.length).toBeGreaterThan(2)
  expect(Buffer.concat(seen).equals(raw)).toBe(true)
  expect({ packed: packed.shape, scales: scales.shape }).toEqual({ packed: [rows, 11, 32], scales: [rows, 11] })
  expect([packed.bytes, scales.bytes]).toEqual([whole?.packed.length, whole?.scales.length])
})

test('leaving in the middle leaves nothing open', async () => {
  const { tensor } = writeTensor()
  const { packed } = quantisedWeight(tensor, { format, pool })
  for await (const piece of packed.read()) {
    expect(piece.length).toBeGreaterThan(0)
    break
  }
  await pool.close()
})
