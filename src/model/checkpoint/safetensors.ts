import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'

import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { STORED_BYTES, type StoredTensor, type StoredType, countElements, showShape } from './tensor.js'

// The format's own limit: a longer header is an attack or a mistake, never a model.
const MAX_HEADER_BYTES = 100_000_000

const LENGTH_BYTES = 8

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
})

/**
 * Reads and checks the header of a safetensors file; no weights are read.
 *
 * ```
 * u64 little endian   length N of the header
 * N bytes             JSON: name → { dtype, shape, data_offsets: [begin, end] }, `__metadata__`
 * the rest            the tensors, without gaps, in any order
 * ```
 *
 * Every entry is checked before any is used: element type, size against shape, offsets against the
 * file, no gap and no overlap.
 *
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID`, naming the file and the tensor.
 */
export async function readSafetensorsHeader(file: string): Promise<readonly StoredTensor[]> {
  const { header, dataOffset, dataBytes } = await readHeader(file).catch((error: unknown) => {
    throw error instanceof StreamError ? error : invalid(file, `can't be read (${String(error)})`, error)
  })
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => checkEntry(file, name, entry, dataOffset, dataBytes))
  checkCoverage(file, entries, dataOffset, dataBytes)
  return entries
}

async function readHeader(file: string): Promise<{ header: object; dataOffset: number; dataBytes: number }> {
  const { size } = await stat(file)
  const handle = await open(file, 'r')
  try {
    const prefix = Buffer.alloc(LENGTH_BYTES)
    if (size < LENGTH_BYTES) throw invalid(file, `is ${size} bytes long: too short for a header`)
    await handle.read(prefix, 0, LENGTH_BYTES, 0)
    const headerBytes = Number(prefix.readBigUInt64LE())
    if (headerBytes > MAX_HEADER_BYTES) throw invalid(file, `says its header is ${headerBytes} bytes long`)
    const dataOffset = LENGTH_BYTES + headerBytes
    if (dataOffset > size) throw invalid(file, `ends inside its header (${size} of ${dataOffset} bytes)`)
    const text = Buffer.alloc(headerBytes)
    await handle.read(text, 0, headerBytes, LENGTH_BYTES)
    return { header: parseHeader(file, text), dataOffset, dataBytes: size - dataOffset }
  } finally {
    await handle.close()
  }
}

function parseHeader(file: string, text: Buffer): object {
  let header: unknown
  try {
    header = JSON.parse(text.toString('utf8'))
  } catch (cause) {
    throw invalid(file, 'has a header that is not JSON', cause)
  }
  if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header
  throw invalid(file, 'has a header that is not a JSON object')
}

function checkEntry(file: string, name: string, raw: unknown, dataOffset: number, dataBytes: number): StoredTensor {
  const parsed = entrySchema.safeParse(raw)
  if (!parsed.success) throw invalid(file, `has a malformed entry for tensor ${name}`, parsed.error)
  const { dtype, shape, data_offsets: [begin, end] } = parsed.data
  if (!isStoredType(dtype)) throw invalid(file, `holds tensor ${name} as ${dtype}, which is not known`)
  const bytes = countElements(shape) * STORED_BYTES[dtype]
  if (end - begin !== bytes) {
    throw invalid(file, `gives tensor ${name} ${end - begin} bytes, its shape ${showShape(shape)} takes ${bytes}`)
  }
  if (end > dataBytes) {
    throw invalid(file, `is cut: tensor ${name} ends at byte ${dataOffset + end}, the file at ${dataOffset + dataBytes}`)
  }
  return { name, elementType: dtype, shape, file, offset: dataOffset + begin, bytes }
}

const isStoredType = (type: string): type is StoredType => Object.hasOwn(STORED_BYTES, type)

function checkCoverage(file: string, entries: readonly StoredTensor[], dataOffset: number, dataBytes: number): void {
  let position = dataOffset
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (entry.offset !== position) throw invalid(file, `has a gap or an overlap before tensor ${entry.name}`)
    position += entry.bytes
  }
  if (position !== dataOffset + dataBytes) {
    throw invalid(file, `holds ${dataOffset + dataBytes - position} bytes that belong to no tensor`)
  }
}

function invalid(file: string, problem: string, cause?: unknown): StreamError {
  const advice = 'Fetch the checkpoint again, or check that the copy was complete.'
  return new StreamError('CHECKPOINT_WEIGHTS_INVALID', `${basename(file)} ${problem}. ${advice}`, { cause })
}
