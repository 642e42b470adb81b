import { open } from 'node:fs/promises'

import { StreamError } from '../../errors.js'
import { isAllFinite } from './finite.js'
import { type CheckpointTensor, type StoredTensor, type TensorReader, isElementType } from './tensor.js'

/**
 * A tensor that is read where it lies in its file.
 *
 * Every weight passes here, so this is where a value that is no number is found.
 */
export function fileTensor(stored: StoredTensor): CheckpointTensor {
  const { name, elementType, shape, bytes, file, offset } = stored
  return { name, elementType, shape, bytes, place: `${file}:${offset}`, open: () => openReader(stored) }
}

async function openReader({ name, elementType, file, offset }: StoredTensor): Promise<TensorReader> {
  const handle = await open(file, 'r')
  return {
    async read(into, position) {
      const { bytesRead } = await handle.read(into, 0, into.length, offset + position)
      if (bytesRead < into.length) throw invalid(`${file} was cut while tensor ${name} was read.`)
      if (isElementType(elementType) && !isAllFinite(into, elementType)) {
        throw invalid(`Tensor ${name} of ${file} holds a value that is not a number or infinite. Its training went wrong, or the file is damaged.`)
      }
    },
    close: () => handle.close(),
  }
}

const invalid = (message: string): StreamError => new StreamError('CHECKPOINT_WEIGHTS_INVALID', message)
