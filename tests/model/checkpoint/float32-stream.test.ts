import { statSync, truncateSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { readFloat32 } from '../../../src/model/checkpoint/float32-stream.js'
import { readModelTensors } from '../../../src/model/checkpoint/weight-files.js'
import { tinyllava } from '../../../src/model/checkpoint/layouts/tinyllava.js'
import { checkpointWeights } from '../../../src/model/checkpoint/weights.js'
import type { ElementType, TensorEntry } from '../../../src/model/checkpoint/tensor.js'
import { type TemporaryFolder, safetensorsBytes, temporaryFolder } from '../../support/checkpoint-files.js'

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

const weightFile = (): string => folder.file('model.safetensors')

async function writeTensor(dtype: ElementType, shape: readonly number[], data: Uint8Array): Promise<TensorEntry> {
  writeFileSync(weightFile(), safetensorsBytes({ t: { dtype, shape, data_offsets: [0, data.length] } }, data))
  return checkpointWeights(await readModelTensors(folder.path), { directory: folder.path, ...tinyllava }).take('t', shape)
}

async function collect(pieces: AsyncIterable<Float32Array>): Promise<Float32Array> {
  const copies: Uint8Array[] = []
  for await (const piece of pieces) copies.push(new Uint8Array(piece.slice().buffer))
  return new Float32Array(new Uint8Array(Buffer.concat(copies)).buffer)
}

test('reads F16, BF16 and F32 as the same float32', async () => {
  const f16 = await writeTensor('F16', [3], new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800).buffer))
  expect(await collect(readFloat32(f16))).toEqual(Float32Array.of(1, -2, 0.5))
  const bf16 = await writeTensor('BF16', [3], new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x3f00).buffer))
  expect(await collect(readFloat32(bf16))).toEqual(Float32Array.of(1, -2, 0.5))
  const f32 = await writeTensor('F32', [3], new Uint8Array(Float32Array.of(1, -2, 0.5).buffer))
  expect(await collect(readFloat32(f32))).toEqual(Float32Array.of(1, -2, 0.5))
})

test('keeps every value in order over many pieces', async () => {
  const values = Float32Array.from({ length: (1 << 20) * 2 + 5 }, (_, index) => index)
  const entry = await writeTensor('F32', [values.length], new Uint8Array(values.buffer))
  let rawBytes = 0
  const read = await collect(readFloat32(entry, (raw) => { rawBytes += raw.length }))
  // Compared as bytes: comparing millions of elements one by one takes half a minute.
  expect(Buffer.from(read.buffer).equals(Buffer.from(values.buffer))).toBe(true)
  expect(rawBytes).toBe(values.byteLength)
})

test('a file cut after it was checked is an error, never zeros', async () => {
  const entry = await writeTensor('F32', [100], new Uint8Array(400))
  truncateSync(weightFile(), statSync(weightFile()).size - 300)
  await expect(collect(readFloat32(entry))).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID' })
})

describe('a value that is no number is an error that names its tensor:', () => {
  const values: readonly (readonly [ElementType, string, Uint8Array])[] = [
    ['F32', 'NaN', new Uint8Array(Float32Array.of(1, NaN).buffer)],
    ['F32', 'minus infinity', new Uint8Array(Float32Array.of(-Infinity, 1).buffer)],
    ['F16', 'NaN', new Uint8Array(Uint16Array.of(0x3c00, 0xfe01).buffer)],
    ['F16', 'infinity', new Uint8Array(Uint16Array.of(0x7c00, 0x3c00).buffer)],
    ['BF16', 'NaN', new Uint8Array(Uint16Array.of(0x3f80, 0x7fc0).buffer)],
    ['BF16', 'infinity', new Uint8Array(Uint16Array.of(0x3f80, 0x7f80).buffer)],
  ]
  test.each(values)('%s %s', async (type, _, data) => {
    const message: unknown = expect.stringMatching(/Tensor t of .* is not a number or infinite/)
    await expect(collect(readFloat32(await writeTensor(type, [2], data)))).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message })
  })

  test('the largest numbers of each type are numbers', async () => {
    for (const [type, data] of [['F16', Uint16Array.of(0x7bff)], ['BF16', Uint16Array.of(0xff7f)], ['F32', Float32Array.of(-3.4e38)]] as const) {
      expect(await collect(readFloat32(await writeTensor(type, [1], new Uint8Array(data.buffer))))).toHaveLength(1)
    }
  })
})
