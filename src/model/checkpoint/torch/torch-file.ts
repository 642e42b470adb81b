import { open } from 'node:fs/promises'
import { basename } from 'node:path'

import { StreamError } from '../../../errors.js'
import { STORED_BYTES, type StoredTensor, countElements } from '../tensor.js'
import { readPickle } from './pickle.js'
import { spanOf } from './strides.js'
import { TORCH_RULES, type TorchTensor, stateDict } from './torch-values.js'
import { type ZipRecord, listZipRecords } from './zip-records.js'

// Names and shapes of the largest models take a few hundred kilobytes.
const MAX_PICKLE_BYTES = 64 * 1024 ** 2

// A view is read at once, and Linux reads no more: 2 GiB less one page, whatever is asked for (`man 2 read`). Embeddings of the
// largest vocabularies take half of it.
const MAX_VIEW_BYTES = 0x7fff_f000

const PICKLE = 'data.pkl'

/** A file of `torch.save`, opened: its records by their names inside the archive. */
interface Archive {
  readonly file: string
  readonly record: (name: string) => ZipRecord | undefined
}

/**
 * Lists the tensors of a file that `torch.save` wrote; no weights are read and nothing in it is run.
 *
 * ```
 * zip, nothing compressed    <archive>/data.pkl    the state dict: name → storage, offset, sizes, strides
 *                            <archive>/data/<key>  a storage's numbers
 *                            <archive>/byteorder   `little`; not in old files
 * ```
 *
 * Every tensor is checked before any is used: its storage's record, and its place in it.
 *
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID`, `CHECKPOINT_UNSAFE`, `CHECKPOINT_UNSUPPORTED`, naming the file and the tensor.
 */
export async function readTorchFile(file: string): Promise<readonly StoredTensor[]> {
  try {
    await checkFormat(file)
    const archive = openArchive(file, await listZipRecords(file))
    await checkByteOrder(archive)
    const value = readPickle(await readRecord(archive, PICKLE), TORCH_RULES)
    return [...stateDict(value, basename(file))].map(([name, tensor]) => placeTensor(archive, name, tensor))
  } catch (error) {
    if (error instanceof StreamError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw invalid(file, `can't be read: ${reason}`, error)
  }
}

/** Files of PyTorch before 1.6 are a bare pickle, or a tar. */
async function checkFormat(file: string): Promise<void> {
  const [first, second] = await readBytes(file, { offset: 0, bytes: 2 })
  if (first === 0x50 && second === 0x4b) return
  const advice = 'Load it with torch.load(…, weights_only=True) and save it again with torch.save or as safetensors.'
  throw unsupported(file, `is not a zip file, so it is of PyTorch before 1.6, or damaged. ${advice}`)
}

function openArchive(file: string, records: ReadonlyMap<string, ZipRecord>): Archive {
  // The archive's name is that of the file when it was saved.
  const pickles = [...records.keys()].filter((name) => name.endsWith(`/${PICKLE}`))
  const [pickle, another] = pickles
  if (pickle === undefined || another !== undefined) throw new Error(`it has ${pickles.length} records ${PICKLE}`)
  const prefix = pickle.slice(0, -PICKLE.length)
  return { file, record: (name) => records.get(prefix + name) }
}

async function checkByteOrder(archive: Archive): Promise<void> {
  if (archive.record('byteorder') === undefined) return
  const order = Buffer.from(await readRecord(archive, 'byteorder')).toString('latin1')
  if (order !== 'little') throw unsupported(archive.file, `was saved in the byte order "${order}". Save it again on a common machine.`)
}

async function readRecord({ file, record }: Archive, name: string): Promise<Uint8Array> {
  const found = record(name)
  if (found === undefined) throw new Error(`it lacks the record ${name}`)
  if (found.bytes > MAX_PICKLE_BYTES) throw new Error(`its record ${name} is ${found.bytes} bytes long`)
  return readBytes(file, found)
}

async function readBytes(file: string, { offset, bytes }: ZipRecord): Promise<Uint8Array> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function placeTensor({ file, record }: Archive, name: string, tensor: TorchTensor): StoredTensor {
  const { storage: { type, key, elements }, shape, strides } = tensor
  const found = record(`data/${key}`)
  if (found?.bytes !== elements * STORED_BYTES[type]) {
    throw invalid(file, `keeps tensor ${name} in a storage of ${elements} ${type}, whose record has ${found?.bytes ?? 'no'} bytes`)
  }
  const [span, size] = [spanOf(tensor), STORED_BYTES[type]]
  if (tensor.offset + span > elements) throw invalid(file, `lets tensor ${name} end behind its storage`)
  const place = { file, offset: found.offset + tensor.offset * size, bytes: countElements(shape) * size }
  if (isContiguous(tensor)) return { name, elementType: type, shape, ...place }
  if (span * size <= MAX_VIEW_BYTES) return { name, elementType: type, shape, ...place, strides }
  throw unsupported(file, `keeps tensor ${name} as a view of ${span * size} bytes of another. Save it again with .contiguous().`)
}

/** Whether a tensor lies row by row without gaps; strides of sizes up to 1 mean nothing. */
function isContiguous({ shape, strides }: TorchTensor): boolean {
  if (countElements(shape) === 0) return true
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1
    if (size > 1 && strides[axis] !== expected) return false
    expected *= size
  }
  return true
}

function invalid(file: string, problem: string, cause?: unknown): StreamError {
  const advice = 'Fetch the checkpoint again, or check that the copy was complete.'
  return new StreamError('CHECKPOINT_WEIGHTS_INVALID', `${basename(file)} ${problem}. ${advice}`, { cause })
}

function unsupported(file: string, problem: string): StreamError {
  return new StreamError('CHECKPOINT_UNSUPPORTED', `${basename(file)} ${problem}`)
}
