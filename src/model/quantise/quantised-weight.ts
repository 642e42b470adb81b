import { readRaw } from '../checkpoint/raw-stream.js'
import { ELEMENT_BYTES, type TensorEntry, showOrigin } from '../checkpoint/tensor.js'
import type { RawListener } from '../checkpoint/source.js'
import type { WeightData } from '../graph/value.js'
import { type BlockFormat, blockBytes, blocksPerRow, scaleBytes } from './block-format.js'
import { mapInOrder } from './map-in-order.js'
import type { QuantisePool } from './pool.js'
import type { QuantiseJob } from './protocol.js'
import type { QuantisedRows } from './quantise-rows.js'

/** A matrix in its quantised form, as two weights of a graph. */
export interface QuantisedWeight {
  /** `[rows, blocks, bytes of a block]`. */
  readonly packed: WeightData
  /** `[rows, blocks]`. Is read after `packed`, from which it comes. */
  readonly scales: WeightData
}

/** What quantising needs beside the matrix. */
export interface QuantiseOptions {
  readonly format: BlockFormat
  readonly pool: QuantisePool
  /** For the digest of what was read. */
  readonly onRaw?: RawListener | undefined
}

// About ten milliseconds of work: long against a message, short against a matrix.
const PIECE_ELEMENTS = 1 << 18

/**
 * A checkpoint's matrix, quantised while it is read: rows are spread over the pool's threads.
 *
 * The checkpoint is read once. The scales, which come later in the file, are kept from then on: those of one
 * matrix at a time, a sixteenth of its bytes in bfloat16 with blocks of 32.
 *
 * @param tensor `[rows, columns]`.
 */
export function quantisedWeight(tensor: TensorEntry, options: QuantiseOptions): QuantisedWeight {
  const { format } = options
  const [rows = 0, columns = 0] = tensor.shape
  const blocks = blocksPerRow(columns, format)
  const key = `${tensor.name}:int${format.bits}:${format.blockSize}:${format.scaleType}`
  const kept: Uint8Array[] = []

  async function* readPacked(): AsyncGenerator<Uint8Array> {
    kept.length = 0
    for await (const { packed, scales } of quantisePieces(tensor, options)) {
      kept.push(scales)
      yield packed
    }
  }

  async function* readScales(): AsyncGenerator<Uint8Array> {
    for (const scales of kept.splice(0)) yield await Promise.resolve(scales)
  }

  const packedShape = [rows, blocks, blockBytes(format)]
  const scalesShape = [rows, blocks]
  return {
    packed: { key, dataType: 'uint8', shape: packedShape, bytes: product(packedShape), read: readPacked },
    scales: {
      key: `${key}:scales`,
      dataType: format.scaleType,
      shape: scalesShape,
      bytes: product(scalesShape) * scaleBytes(format),
      read: readScales,
    },
  }
}

function quantisePieces(tensor: TensorEntry, { format, pool, onRaw }: QuantiseOptions): AsyncIterable<QuantisedRows> {
  const { elementType } = tensor
  const columns = tensor.shape[1] ?? 1
  const rowsAtOnce = Math.max(1, Math.floor(PIECE_ELEMENTS / columns))
  const pieces = readRaw(tensor, {
    pieceBytes: rowsAtOnce * columns * ELEMENT_BYTES[elementType],
    // Each piece is handed over to a thread.
    allocate: (bytes) => new Uint8Array(bytes),
    onRaw: onRaw && ((raw) => { onRaw(tensor, raw) }),
  })
  const job = (raw: Uint8Array<ArrayBuffer>): QuantiseJob => ({ tensor: showOrigin(tensor), raw, elementType, columns, format })
  return mapInOrder(pieces, (raw) => pool.run(job(raw)), pool.jobsAtOnce)
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)
