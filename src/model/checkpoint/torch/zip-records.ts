import { type ZipFile, openPromise } from 'yauzl'

/** Where a record of a zip file lies, as it is: not compressed. */
export interface ZipRecord {
  /** Bytes from the start of the file. */
  readonly offset: number
  readonly bytes: number
}

const STORED = 0

/**
 * Lists the records of a zip file, zip64 included, each at the place where its bytes lie.
 *
 * @throws {Error} Where it is no whole zip file, or holds a record that is compressed or encrypted.
 */
export async function listZipRecords(file: string): Promise<ReadonlyMap<string, ZipRecord>> {
  const zip = await openPromise(file, { autoClose: false })
  try {
    return await readRecords(zip)
  } finally {
    zip.close()
  }
}

async function readRecords(zip: ZipFile): Promise<ReadonlyMap<string, ZipRecord>> {
  const records = new Map<string, ZipRecord>()
  for await (const entry of zip.eachEntry()) {
    const { fileName, compressionMethod, uncompressedSize: bytes } = entry
    if (compressionMethod !== STORED || entry.isEncrypted()) throw new Error(`record ${fileName} is compressed or encrypted`)
    if (records.has(fileName)) throw new Error(`record ${fileName} is there twice`)
    // A record's bytes begin behind its own header, whose length only that header knows: PyTorch pads it.
    const { fileDataStart: offset } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
    if (offset + bytes > zip.fileSize) throw new Error(`record ${fileName} ends behind the file's end`)
    records.set(fileName, { offset, bytes })
  }
  return records
}
