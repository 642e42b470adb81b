import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

import type { HubFile } from './revision.js'

/** Whether a file on the disk holds the bytes that the hub lists. Reads all of it: a disk makes mistakes, too. */
export async function isIntact(path: string, { etag, bytes }: HubFile, signal: AbortSignal | undefined): Promise<boolean> {
  const isLarge = etag.length === 64
  const hash = createHash(isLarge ? 'sha256' : 'sha1')
  if (!isLarge) hash.update(`blob ${bytes}\0`)
  for await (const piece of createReadStream(path, { signal }) as AsyncIterable<Uint8Array>) hash.update(piece)
  return hash.digest('hex') === etag
}
