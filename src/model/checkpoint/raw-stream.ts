import type { TensorEntry } from './tensor.js'

/** How a tensor's bytes are read. */
export interface RawOptions {
  /** Size of a piece; the last may be shorter. A multiple of the element's size. */
  readonly pieceBytes: number
  /** Where a piece goes: a new buffer each time, or one that is used again. */
  readonly allocate: (bytes: number) => Uint8Array<ArrayBuffer>
  /** Called with each piece before it is handed out, for digests. */
  readonly onRaw?: ((raw: Uint8Array) => void) | undefined
}

/**
 * Reads a tensor's bytes as they stand in the checkpoint, piece by piece.
 *
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID` if the file ends early or a value is not finite.
 */
export async function* readRaw(tensor: TensorEntry, options: RawOptions): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { pieceBytes, allocate, onRaw } = options
  const reader = await tensor.open()
  try {
    for (let done = 0; done < tensor.bytes; done += pieceBytes) {
      const size = Math.min(pieceBytes, tensor.bytes - done)
      const piece = allocate(size).subarray(0, size)
      await reader.read(piece, done)
      onRaw?.(piece)
      yield piece
    }
  } finally {
    await reader.close()
  }
}
