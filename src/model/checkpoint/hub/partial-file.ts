import { randomUUID } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { HOST, isAlive } from '../../../host.js'
import { sizeOf } from './cache.js'
import { isIntact } from './checksum.js'
import type { HubFile } from './revision.js'

/** A file that nobody wrote to for so long is nobody's: whoever fetches one hears of its server more often, or gives up. */
const ABANDONED_AFTER_MS = 15 * 60_000

/** Partial files that this process is writing. */
const inUse = new Set<string>()

/**
 * A half-fetched file, `blobs/ETAG.OWNER.incomplete` until it is whole.
 *
 * Each is written by one process, which its name tells: two that pull the same model don't disturb one another, and what
 * a process that ended has left behind is taken over by the next one, where it ended. So is the `ETAG.incomplete`
 * of the hub's other tools, but only once it has been left alone, as it doesn't tell whose it is.
 */
export class PartialFile {
  readonly path: string
  /** Bytes that are on the disk. */
  bytes: number
  readonly #file: HubFile
  #handle: FileHandle | undefined

  private constructor(path: string, file: HubFile, bytes: number) {
    this.path = path
    this.bytes = bytes
    this.#file = file
  }

  /** Takes over what there is of a file already, or begins it. */
  static async claim(blobs: string, file: HubFile): Promise<PartialFile> {
    const path = join(blobs, `${file.etag}.${HOST}-${process.pid}-${randomUUID()}.incomplete`)
    inUse.add(path)
    const left = await abandoned(blobs, file)
    for (const { path: old, bytes } of left) {
      // Another process may have been faster.
      if (await rename(old, path).then(() => true, () => false)) return new PartialFile(path, file, bytes)
    }
    return new PartialFile(path, file, 0)
  }

  /** Appends what came. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#handle ??= await open(this.path, 'a')
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done)
      done += bytesWritten
      this.bytes += bytesWritten
    }
  }

  /** Forgets all that there is. */
  async startAgain(): Promise<void> {
    await this.release()
    await rm(this.path, { force: true })
    inUse.add(this.path)
    this.bytes = 0
  }

  /** Whether what is on the disk is what the hub has. */
  async isRight(signal: AbortSignal | undefined): Promise<boolean> {
    await this.#close()
    if (this.bytes === 0) await (await open(this.path, 'a')).close()
    return isIntact(this.path, this.#file, signal)
  }

  /** Puts the whole file in its place, and removes what else there is of it. */
  async place(blobs: string): Promise<void> {
    await rename(this.path, join(blobs, this.#file.etag))
    for (const { path } of await abandoned(blobs, this.#file)) await rm(path, { force: true })
  }

  /** Lets go of it; what there is stays, for the next one. */
  async release(): Promise<void> {
    await this.#close()
    inUse.delete(this.path)
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    if (handle === undefined) return
    // What is renamed into the cache is trusted from then on, also after a power cut.
    await handle.sync()
    await handle.close()
  }
}

/** Bytes of a file that needn't be fetched, as a process that ended has left them behind. */
export async function bytesLeftBehind(blobs: string, file: HubFile): Promise<number> {
  return (await abandoned(blobs, file))[0]?.bytes ?? 0
}

/** What is there of a file that nobody is writing any more, most first; never more than the file has. */
async function abandoned(blobs: string, { etag, bytes: whole }: HubFile): Promise<readonly { path: string; bytes: number }[]> {
  const names = (await readdir(blobs)).filter((name) => name.startsWith(`${etag}.`) && name.endsWith('.incomplete'))
  const found: { path: string; bytes: number }[] = []
  for (const path of names.map((name) => join(blobs, name))) {
    const bytes = await sizeOf(path)
    if (bytes !== undefined && bytes <= whole && (await isAbandoned(path))) found.push({ path, bytes })
  }
  return found.sort((a, b) => b.bytes - a.bytes)
}

async function isAbandoned(path: string): Promise<boolean> {
  if (inUse.has(path)) return false
  const [, host, pid] = /\.([0-9a-f]{8})-(\d+)-[0-9a-f-]{36}\.incomplete$/.exec(path) ?? []
  if (host === HOST) return Number(pid) === process.pid || !isAlive(Number(pid))
  const touchedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity
  return touchedMs < Date.now() - ABANDONED_AFTER_MS
}
