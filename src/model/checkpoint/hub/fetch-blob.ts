import { StreamError } from '../../../errors.js'
import type { RepositoryCache } from './cache.js'
import { type HubConnection, type HubBody, repeatUnreachable, request } from './connection.js'
import { unreachable } from './hub-errors.js'
import { PartialFile } from './partial-file.js'
import type { HubFile } from './revision.js'

/** What is fetched, and where to. */
export interface BlobFetch {
  readonly hub: HubConnection
  readonly cache: RepositoryCache
  readonly commit: string
  /** Told how many bytes of the file are there; may become fewer where it has to be begun again. */
  readonly onBytes: (bytes: number) => void
}

/**
 * Fetches one file into the cache: goes on where an earlier attempt ended, also one of another process, and puts it in
 * place only when its checksum is the hub's.
 *
 * @throws {StreamError} `HUB_*`, `ABORTED`; errors of the file system.
 */
export async function fetchBlob(fetch: BlobFetch, file: HubFile): Promise<void> {
  const partial = await PartialFile.claim(fetch.cache.blobs, file)
  const isResumed = partial.bytes > 0
  try {
    await repeatUnreachable(fetch.hub, () => fetchRest(fetch, file, partial), () => partial.bytes)
    if (await partial.isRight(fetch.hub.signal)) {
      await partial.place(fetch.cache.blobs)
      return
    }
    await partial.startAgain()
  } finally {
    await partial.release()
  }
  // Whoever began it may have begun it wrongly; what this very call has fetched comes out the same again.
  if (!isResumed) throw checksumDiffers(fetch.hub, file)
  await fetchBlob(fetch, file)
}

async function fetchRest(fetch: BlobFetch, file: HubFile, partial: PartialFile): Promise<void> {
  const { hub, commit, onBytes } = fetch
  onBytes(partial.bytes)
  if (partial.bytes === file.bytes) return
  const { response, bytes } = await request(hub, fileRequest(hub, { commit, path: file.path, from: partial.bytes }))
  // A server may send all of it instead of the rest.
  if (response.status !== 206 && partial.bytes > 0) await partial.startAgain()
  if (startOf(response) !== partial.bytes) {
    await response.body?.cancel()
    // What is there is right as far as anybody knows, and is kept: the next answer may fit again.
    throw unreachable(hub, `it sent another part of ${file.path} than from byte ${partial.bytes} on, as it was asked`)
  }
  await append(bytes, { hub, file, partial, onBytes })
  if (partial.bytes < file.bytes) throw unreachable(hub, `it sent ${partial.bytes} of ${file.bytes} bytes of ${file.path}`)
}

interface Appending extends Pick<BlobFetch, 'hub' | 'onBytes'> {
  readonly file: HubFile
  readonly partial: PartialFile
}

async function append(bytes: HubBody['bytes'], { hub, file, partial, onBytes }: Appending): Promise<void> {
  for await (const piece of bytes) {
    if (partial.bytes + piece.length > file.bytes) {
      await partial.startAgain()
      throw checksumDiffers(hub, file)
    }
    await partial.append(piece)
    onBytes(partial.bytes)
  }
}

function fileRequest(hub: HubConnection, { commit, path, from }: { commit: string; path: string; from: number }): Request {
  const { settings: { endpoint }, repository: { name } } = hub
  const address = `${endpoint}/${name}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`
  return new Request(address, { headers: from === 0 ? {} : { range: `bytes=${from}-` } })
}

/** Where in the file the bytes that come begin. */
function startOf({ status, headers }: Response): number {
  return status === 206 ? Number(/^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1] ?? NaN) : 0
}

function checksumDiffers({ settings: { endpoint } }: HubConnection, { path }: HubFile): StreamError {
  const message = `${path} came from ${endpoint} with other bytes than it lists. Pull again; if that goes on, try without a mirror or a proxy.`
  return new StreamError('HUB_CHECKSUM', message)
}
