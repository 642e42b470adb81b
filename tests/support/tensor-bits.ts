import type { CheckpointTensor } from '../../src/model/checkpoint/tensor.js'

/** All bytes of a tensor, as numbers of two bytes. */
export async function tensorBits(tensor: CheckpointTensor): Promise<Uint16Array> {
  const bytes = new Uint8Array(tensor.bytes)
  const reader = await tensor.open()
  try {
    await reader.read(bytes, 0)
  } finally {
    await reader.close()
  }
  return new Uint16Array(bytes.buffer)
}
