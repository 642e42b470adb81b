/** Files of real `torch.save` (tests/reference/torch-files): what is read of them, and what is refused without being run. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { fileTensor } from '../../../../src/model/checkpoint/file-tensor.js'
import { readFloat32 } from '../../../../src/model/checkpoint/float32-stream.js'
import { type StoredTensor, isElementType } from '../../../../src/model/checkpoint/tensor.js'
import { readTorchFile } from '../../../../src/model/checkpoint/torch/torch-file.js'
import { type TemporaryFolder, temporaryFolder } from '../../../support/checkpoint-files.js'
import { referencePath } from '../../../support/golden.js'
import { pickleOf, writeZip64 } from '../../../support/torch-file.js'

const expectedSchema = z.object({
  files: z.record(z.string(), z.record(z.string(), z.object({ type: z.string(), shape: z.array(z.int()), values: z.array(z.number()) }))),
})

const TYPES: Readonly<Record<string, string>> = {
  float32: 'F32', float16: 'F16', bfloat16: 'BF16', float64: 'F64', int64: 'I64', bool: 'BOOL',
}

const torchFile = (name: string): string => referencePath(`torch-files/${name}.bin`)

const { files } = expectedSchema.parse(JSON.parse(readFileSync(referencePath('torch-files/expected.json'), 'utf8')))

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

async function valuesOf(stored: StoredTensor): Promise<readonly number[]> {
  const { elementType } = stored
  if (!isElementType(elementType)) throw new Error('unreachable')
  const values: number[] = []
  for await (const piece of readFloat32({ ...fileTensor(stored), elementType })) values.push(...piece)
  return values
}

describe.each(Object.keys(files))('%s.bin', (name) => {
  const expected = Object.entries(files[name] ?? {})

  test('lists every tensor with its type and shape, in the file\'s order', async () => {
    const tensors = await readTorchFile(torchFile(name))
    expect(tensors.map((tensor) => [tensor.name, tensor.elementType, tensor.shape]))
      .toEqual(expected.map(([key, { type, shape }]) => [key, TYPES[type], shape]))
  })

  test('reads every weight in place', async () => {
    for (const tensor of await readTorchFile(torchFile(name))) {
      if (isElementType(tensor.elementType)) expect(await valuesOf(tensor), tensor.name).toEqual(files[name]?.[tensor.name]?.values)
    }
  })
})

test('tied weights are one place under two names, and a view lies inside it', async () => {
  const [embed, head, rows] = await readTorchFile(torchFile('tied'))
  expect(head?.offset).toBe(embed?.offset)
  expect(rows?.offset).toBe((embed?.offset ?? NaN) + 12)
})

test('a view is read from any place on, and is not the tensor it is a view of', async () => {
  const tensors = await readTorchFile(torchFile('views'))
  const [whole, transposed] = tensors.map(fileTensor)
  expect(transposed?.place).not.toBe(whole?.place)
  const reader = await transposed?.open()
  const piece = new Float32Array(6)
  await reader?.read(new Uint8Array(piece.buffer), 3 * 4)
  await reader?.close()
  expect([...piece]).toEqual(files.views?.transposed?.values.slice(3, 9))
})

test('a file of many tensors, all views of one storage', async () => {
  const tensors = await readTorchFile(torchFile('many'))
  expect(tensors).toHaveLength(300)
  for (const index of [0, 255, 299]) {
    const tensor = tensors.find(({ name }) => name === `layers.${index}.weight`)
    expect(tensor && (await valuesOf(tensor))).toEqual([(index + 1) / 2])
  }
})

describe('refuses, running nothing and naming what it asks for:', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['system', 'CHECKPOINT_UNSAFE', /`posix\.system`/],
    ['eval', 'CHECKPOINT_UNSAFE', /`__builtin__\.eval`/],
    ['whole-module', 'CHECKPOINT_UNSAFE', /`torch\.nn\.modules\.linear\.Linear`/],
    ['list', 'CHECKPOINT_WEIGHTS_INVALID', /no dictionary.*state_dict/],
    ['nested', 'CHECKPOINT_WEIGHTS_INVALID', /under state_dict no tensor/],
    ['before-1.6', 'CHECKPOINT_UNSUPPORTED', /PyTorch before 1\.6.*torch\.save/],
    ['bare-pickle', 'CHECKPOINT_UNSUPPORTED', /not a zip file/],
    ['protocol-4', 'CHECKPOINT_UNSUPPORTED', /pickle protocol 4/],
    ['big-endian', 'CHECKPOINT_UNSUPPORTED', /byte order "big"/],
    ['compressed', 'CHECKPOINT_WEIGHTS_INVALID', /data\.pkl is compressed/],
    ['short-storage', 'CHECKPOINT_WEIGHTS_INVALID', /weight in a storage of 6 F32, whose record has 20 bytes/],
  ]
  test.each(refused)('%s.bin', async (name, code, message) => {
    await expect(readTorchFile(torchFile(name))).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
    expect(existsSync('pwned')).toBe(false)
  })

  test('a file that is cut, at any place', async () => {
    const whole = readFileSync(torchFile('types'))
    for (let length = 0; length < whole.length; length += 61) {
      writeFileSync(folder.file('cut.bin'), whole.subarray(0, length))
      await expect(readTorchFile(folder.file('cut.bin')), String(length)).rejects.toMatchObject({ code: expect.stringMatching(/^CHECKPOINT_(WEIGHTS_INVALID|UNSUPPORTED)$/) as unknown })
    }
  })

  test('a file with any byte of its pickle changed: an error of ours, or other tensors, and never another end', async () => {
    const whole = readFileSync(torchFile('module'))
    const pickle = whole.indexOf('collections') - 3
    for (let at = pickle; at < pickle + 500; at += 1) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ 0x15
      writeFileSync(folder.file('changed.bin'), bytes)
      const outcome = await readTorchFile(folder.file('changed.bin')).catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: expect.stringMatching(/^CHECKPOINT_/) as unknown })
    }
  })

  test('a storage that its record has not, a pickle that is not there', async () => {
    const record = (name: string, data: Uint8Array) => ({ name: `a/${name}`, data })
    writeZip64(folder.file('a.bin'), [record('version', Buffer.from('3'))])
    await expect(readTorchFile(folder.file('a.bin'))).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(/0 records data\.pkl/) as unknown })
    writeZip64(folder.file('b.bin'), [record('data.pkl', statePickle(4, 4)), record('version', Buffer.from('3'))])
    await expect(readTorchFile(folder.file('b.bin'))).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(/whose record has no bytes/) as unknown })
    writeZip64(folder.file('c.bin'), [record('data.pkl', statePickle(4, 5)), record('data/0', new Uint8Array(16))])
    await expect(readTorchFile(folder.file('c.bin'))).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(/end behind its storage/) as unknown })
    truncateSync(folder.file('c.bin'), 0)
    await expect(readTorchFile(folder.file('c.bin'))).rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED' })
  })
})

test('a view that holds no number is refused, whatever lies between its elements', async () => {
  const write = async (...values: readonly number[]): Promise<StoredTensor | undefined> => {
    const pickle = pickleOf({ name: 'view', key: '0', elements: 3, shape: [2], strides: [2] })
    writeZip64(folder.file('view.bin'), [{ name: 'a/data.pkl', data: pickle }, { name: 'a/data/0', data: new Uint8Array(Float32Array.from(values).buffer) }])
    return (await readTorchFile(folder.file('view.bin')))[0]
  }
  const right = await write(1, NaN, 2)
  expect(right && (await valuesOf(right))).toEqual([1, 2])
  const wrong = await write(1, 2, NaN)
  await expect(wrong && valuesOf(wrong)).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(/view of .*not a number/) as unknown })
})

test('a view that lies over more bytes than Linux reads at once is refused', async () => {
  const write = (elements: number): Promise<readonly StoredTensor[]> => {
    const pickle = pickleOf({ name: 'wide', key: '0', elements, shape: [2], strides: [elements - 1] })
    writeZip64(folder.file('wide.bin'), [{ name: 'a/data.pkl', data: pickle }, { name: 'a/data/0', data: elements * 4 }])
    return readTorchFile(folder.file('wide.bin'))
  }
  expect(await write(0x7fff_f000 / 4)).toMatchObject([{ name: 'wide', shape: [2] }])
  const message: unknown = expect.stringMatching(/tensor wide as a view of 2147479556 bytes.*contiguous/)
  await expect(write(0x7fff_f000 / 4 + 1)).rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED', message })
})

test('a file above 4 GiB (zip64): its last tensor lies where it lies', async () => {
  const [hole, last] = [(2 ** 32 + 64) / 4, Float32Array.of(1.5, -2)]
  writeZip64(folder.file('large.bin'), [
    { name: 'a/data.pkl', data: pickleOf({ name: 'hole', key: '1', elements: hole, shape: [hole] }, { name: 'last', key: '0', elements: 2, shape: [2] }) },
    { name: 'a/data/1', data: hole * 4 },
    { name: 'a/data/0', data: new Uint8Array(last.buffer) },
  ])
  const tensors = await readTorchFile(folder.file('large.bin'))
  expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([['hole', [hole]], ['last', [2]]])
  expect(tensors[1]?.offset).toBeGreaterThan(2 ** 32)
  expect(tensors[1] && (await valuesOf(tensors[1]))).toEqual([1.5, -2])
})

/** A state dict of one tensor of `size` values in a storage of `elements`. */
const statePickle = (elements: number, size: number): Buffer => pickleOf({ name: 'weight', key: '0', elements, shape: [size] })
