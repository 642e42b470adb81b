import { type FileHandle, open } from 'node:fs/promises'

import { StreamError } from '../../errors.js'
import { isAllFinite } from './finite.js'
import { type CheckpointTensor, STORED_BYTES, type StoredTensor, type TensorReader, isElementType } from './tensor.js'
import { type Words, gather, spanOf } from './torch/strides.js'

/**
 * A tensor that is read where it lies in its file.
 *
 * Every weight passes here, so this is where a value that is no number is found.
 */
export function fileTensor(stored: StoredTensor): CheckpointTensor {
  const { name, elementType, shape, bytes, file, offset, strides } = stored
  const place = strides === undefined ? `${file}:${offset}` : `${file}:${offset}:${strides.join()}`
  const openStored = (): Promise<TensorReader> => (strides === undefined ? openReader(stored) : openView(stored, strides))
  return { name, origin: { name, file }, elementType, shape, bytes, place, open: openStored }
}

async function openReader(stored: StoredTensor): Promise<TensorReader> {
  const handle = await open(stored.file, 'r')
  return {
    async read(into, position) {
      await readBytes(handle, stored, { into, position })
      checkFinite(stored, into)
    },
    close: () => handle.close(),
  }
}

/** A view is held as it lies there: its next row may be made of every byte. */
async function openView(stored: StoredTensor, strides: readonly number[]): Promise<TensorReader> {
  const { file, shape, elementType } = stored
  const size = STORED_BYTES[elementType]
  const held = new Uint8Array(spanOf({ shape, strides }) * size)
  const handle = await open(file, 'r')
  await readBytes(handle, stored, { into: held, position: 0 }).finally(() => handle.close())
  const storage = wordsOf(held, size)
  return {
    read(into, position) {
      gather(wordsOf(into, size), position / size, { storage, shape, strides })
      checkFinite(stored, into)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}

/** Weights have elements of two or four bytes; nothing else is ever read. */
const wordsOf = ({ buffer, byteOffset, length }: Uint8Array, size: number): Words =>
  size === 2 ? new Uint16Array(buffer, byteOffset, length / 2) : new Uint32Array(buffer, byteOffset, length / 4)

interface Piece {
  readonly into: Uint8Array
  readonly position: number
}

async function readBytes(handle: FileHandle, { name, file, offset }: StoredTensor, { into, position }: Piece): Promise<void> {
  const { bytesRead } = await handle.read(into, 0, into.length, offset + position)
  if (bytesRead < into.length) throw invalid(`${file} was cut while tensor ${name} was read.`)
}

function checkFinite({ name, file, elementType }: StoredTensor, bytes: Uint8Array): void {
  if (!isElementType(elementType) || isAllFinite(bytes, elementType)) return
  throw invalid(`Tensor ${name} of ${file} holds a value that is not a number or infinite. Its training went wrong, or the file is damaged.`)
}

const invalid = (message: string): StreamError => new StreamError('CHECKPOINT_WEIGHTS_INVALID', message)
