import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

/** A record of a zip file; one without data is a hole of so many bytes. */
export interface ZipRecord {
  readonly name: string
  readonly data: Uint8Array | number
}

const MAX = 0xffff_ffff

/**
 * Writes a zip64 file whose records are stored, as `torch.save` does above 4 GiB.
 *
 * ```
 * per record   local header, name, zip64 field, data
 * per record   central header, name, zip64 field
 * zip64 end, locator, end
 * ```
 */
export function writeZip64(path: string, records: readonly ZipRecord[]): void {
  const file = openSync(path, 'w')
  let position = 0
  const put = (bytes: Uint8Array): void => { position += writeSync(file, bytes, 0, bytes.length, position) }
  const central: Buffer[] = []
  for (const { name, data } of records) {
    const size = typeof data === 'number' ? data : data.length
    const at = position
    put(Buffer.concat([numbers('4:0x04034b50 2:45 2:0 2:0 2:0 2:0 4:0', [4, MAX], [4, MAX], [2, name.length], [2, 20]), Buffer.from(name), numbers('2:1 2:16', [8, size], [8, size])]))
    if (typeof data === 'number') position += data
    else put(data)
    central.push(
      numbers('4:0x02014b50 2:45 2:45 2:0 2:0 2:0 2:0 4:0', [4, MAX], [4, MAX], [2, name.length], [2, 28], [2, 0], [2, 0], [2, 0], [4, 0], [4, MAX]),
      Buffer.from(name),
      numbers('2:1 2:24', [8, size], [8, size], [8, at]),
    )
  }
  const directory = Buffer.concat(central)
  const [begin, count] = [position, records.length]
  put(directory)
  const end = position
  put(numbers('4:0x06064b50 8:44 2:45 2:45 4:0 4:0', [8, count], [8, count], [8, directory.length], [8, begin]))
  put(numbers('4:0x07064b50 4:0', [8, end], [4, 1]))
  put(numbers('4:0x06054b50 2:0 2:0', [2, count], [2, count], [4, MAX], [4, MAX], [2, 0]))
  ftruncateSync(file, position)
  closeSync(file)
}

/** Little-endian numbers: `size:value` as text, then `[size, value]`. */
function numbers(text: string, ...more: readonly (readonly [number, number])[]): Buffer {
  const all = [...text.split(' ').map((pair) => pair.split(':').map(Number) as [number, number]), ...more]
  return Buffer.concat(all.map(([size, value]) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    return bytes.subarray(0, size)
  }))
}

/** A tensor as `torch.save` names it: a view of the storage in the record `data/KEY`. */
export interface PickledTensor {
  readonly name: string
  readonly key: string
  /** @default FloatStorage */
  readonly storage?: 'FloatStorage' | 'BFloat16Storage'
  /** Of the storage. */
  readonly elements: number
  readonly shape: readonly number[]
  /** @default row by row without gaps */
  readonly strides?: readonly number[]
}

/** A state dict as `torch.save` pickles it. */
export const pickleOf = (...tensors: readonly PickledTensor[]): Buffer =>
  Buffer.concat([Buffer.from([0x80, 2, 0x7d, 0x28]), ...tensors.map(pickleTensor), Buffer.from('u.')])

function pickleTensor({ name, key, storage = 'FloatStorage', elements, shape, strides = rowByRow(shape) }: PickledTensor): Buffer {
  return Buffer.concat([
    pickleText(name),
    Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n(('), pickleText('storage'), Buffer.from(`ctorch\n${storage}\n`),
    pickleText(key), pickleText('cpu'), pickleInteger(elements),
    Buffer.from('tQK\0'), pickleTuple(shape), pickleTuple(strides), Buffer.from('\x89}tR', 'latin1'),
  ])
}

const rowByRow = (shape: readonly number[]): readonly number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))

const pickleText = (text: string): Buffer => Buffer.concat([numbers('1:0x58', [4, text.length]), Buffer.from(text)])
const pickleInteger = (value: number): Buffer => numbers('1:0x8a 1:6', [6, value])
const pickleTuple = (sizes: readonly number[]): Buffer => Buffer.concat([Buffer.from('('), ...sizes.map(pickleInteger), Buffer.from('t')])
