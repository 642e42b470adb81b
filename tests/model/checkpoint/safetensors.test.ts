import { writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { readSafetensorsHeader } from '../../../src/model/checkpoint/safetensors.js'
import { type Header, type TemporaryFolder, safetensorsBytes, temporaryFolder } from '../../support/checkpoint-files.js'

const twoTensors = (): Header => ({
  a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
})

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

function write(header: unknown, dataBytes: number): string {
  writeFileSync(folder.file('model.safetensors'), safetensorsBytes(header, new Uint8Array(dataBytes)))
  return folder.file('model.safetensors')
}

test('lists every tensor with its type, shape and place', async () => {
  const entries = await readSafetensorsHeader(write({ ...twoTensors(), __metadata__: { format: 'pt' } }, 32))
  const dataOffset = (entries[0]?.offset ?? 0)
  expect(entries.map(({ name, elementType, shape, offset, bytes }) => ({ name, elementType, shape, at: offset - dataOffset, bytes }))).toEqual([
    { name: 'a', elementType: 'F32', shape: [2, 3], at: 0, bytes: 24 },
    { name: 'b', elementType: 'BF16', shape: [4], at: 24, bytes: 8 },
  ])
})

describe('refuses before any weight is used, naming file and tensor:', () => {
  const damaged: readonly (readonly [string, () => string, RegExp])[] = [
    ['a file too short for a header', () => { writeFileSync(folder.file('x'), 'abc'); return folder.file('x') }, /3 bytes long/],
    ['a header longer than the file', () => { writeFileSync(folder.file('x'), Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 123])); return folder.file('x') }, /ends inside its header/],
    ['a header longer than the format allows', () => { writeFileSync(folder.file('x'), Buffer.alloc(16, 0x7f)); return folder.file('x') }, /says its header is/],
    ['a header that is not JSON', () => { writeFileSync(folder.file('x'), Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{x')])); return folder.file('x') }, /not JSON/],
    ['a header that is a list', () => write([], 0), /not a JSON object/],
    ['an entry without offsets', () => write({ a: { dtype: 'F32', shape: [1] } }, 4), /malformed entry for tensor a/],
    ['a negative size', () => write({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /malformed entry for tensor a/],
    ['an element type nobody knows', () => write({ a: { dtype: 'F4', shape: [4], data_offsets: [0, 4] } }, 4), /tensor a as F4, which is not known/],
    ['a size that differs from the shape', () => write({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4), /tensor a 4 bytes, its shape \[2\] takes 8/],
    ['a tensor past the end', () => write({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, 4), /is cut: tensor a ends at byte/],
    ['a gap', () => write({ ...twoTensors(), b: { dtype: 'BF16', shape: [4], data_offsets: [26, 34] } }, 34), /gap or an overlap before tensor b/],
    ['an overlap', () => write({ ...twoTensors(), b: { dtype: 'BF16', shape: [4], data_offsets: [20, 28] } }, 28), /gap or an overlap before tensor b/],
    ['bytes that belong to nobody', () => write(twoTensors(), 40), /8 bytes that belong to no tensor/],
  ]
  test.each(damaged)('%s', async (_, make, message) => {
    await expect(readSafetensorsHeader(make())).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(message) as unknown })
  })
})
