import { readRaw } from './raw-stream.js'
import { ELEMENT_BYTES, type TensorEntry, countElements } from './tensor.js'
import { widen } from './widen.js'

// Large enough for full disk speed, small enough that memory doesn't depend on the model's size.
const PIECE_ELEMENTS = 1 << 20

/**
 * Reads a tensor as float32, row by row, in pieces of at most 4 MiB.
 *
 * A piece is valid only until the next one is asked for: its buffer is used again.
 *
 * @param onRaw Called with the bytes as they stand in the checkpoint, piece by piece, for digests.
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID` if the file ends early.
 */
export async function* readFloat32(tensor: TensorEntry, onRaw?: (raw: Uint8Array) => void): AsyncGenerator<Float32Array> {
  const elementBytes = ELEMENT_BYTES[tensor.elementType]
  const pieceBytes = Math.min(PIECE_ELEMENTS * elementBytes, tensor.bytes)
  const raw = new Uint8Array(new ArrayBuffer(pieceBytes))
  const values = new Float32Array(pieceBytes / elementBytes)
  for await (const piece of readRaw(tensor, { pieceBytes, allocate: () => raw, onRaw })) {
    const read = values.subarray(0, piece.length / elementBytes)
    widen(piece, tensor.elementType, read)
    yield read
  }
}

/** Reads a tensor as float32 as a whole: for small ones. */
export async function readWhole(tensor: TensorEntry, onRaw?: (raw: Uint8Array) => void): Promise<Float32Array> {
  const whole = new Float32Array(countElements(tensor.shape))
  let done = 0
  for await (const values of readFloat32(tensor, onRaw)) {
    whole.set(values, done)
    done += values.length
  }
  return whole
}
