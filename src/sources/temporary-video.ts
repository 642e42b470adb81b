import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'

import { StreamError } from '../errors.js'
import { HOST, isAlive, isOfEarlierProcess } from '../host.js'
import type { LendVideo } from './decoding/file-stream.js'

const PREFIX = 'tinyllava-stream-video'

/** A temporary video: where it is to be written, and how messages call it. */
export interface TemporaryVideo {
  /** What messages say instead of the temporary path. */
  readonly shownAs: string
  /** Name of the video; its extension is kept, as a hint to ffmpeg. */
  readonly name: string
  /** @default the system's folder for temporary files */
  readonly folder?: string
  /** Writes the video to a path where nothing is yet. */
  readonly write: (path: string, signal: AbortSignal) => Promise<void>
}

/**
 * Lends a video that lies in a temporary file for as long as it is read.
 *
 * Each is in a folder of its own that only this user can enter (`mkdtemp`), and is removed when its pictures
 * end: by completion, error or unsubscribe. The folder is named after machine and process, so that
 * `removeStaleVideos` finds what a crash left behind.
 */
export function temporaryVideo({ shownAs, name, folder = tmpdir(), write }: TemporaryVideo): LendVideo {
  return async function* (read, signal) {
    await removeStaleOnce(folder)
    const own = await mkdtemp(join(folder, `${PREFIX}-${HOST}-${process.pid}-`)).catch((error: unknown) => {
      throw noRoom(folder, error)
    })
    const path = join(own, `video${extensionOf(name)}`)
    try {
      await write(path, signal)
      yield* read(path)
    } catch (error) {
      throw renamed(error, { path, shownAs })
    } finally {
      await rm(own, { recursive: true, force: true })
    }
  }
}

/** A video whose bytes are in memory, e.g. in a message. ffmpeg seeks in it, so it needs a file. */
export function inlineVideo(bytes: Uint8Array, { shownAs, name }: Pick<TemporaryVideo, 'shownAs' | 'name'>): LendVideo {
  const write = (path: string, signal: AbortSignal): Promise<void> =>
    writeFile(path, bytes, { mode: 0o600, flag: 'wx', signal }).catch((error: unknown) => {
      throw noRoom(path, error)
    })
  return temporaryVideo({ shownAs, name, write })
}

/** Folders that were looked through by this process. */
const tidied = new Map<string, Promise<void>>()

/** Before the first video of a process: what a crash left behind would fill the disk, restart by restart. */
function removeStaleOnce(folder: string): Promise<void> {
  const done = tidied.get(folder) ?? removeStaleVideos(folder)
  tidied.set(folder, done)
  return done
}

/** The error for a temporary file that can't be written. */
export function noRoom(path: string, cause: unknown): StreamError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  const message = `The temporary file of a video can't be written to ${path} (${code}). Make room there, or set TMPDIR.`
  return new StreamError('VIDEO_DOWNLOAD_FAILED', message, { cause })
}

/**
 * Removes the temporary videos that processes of this machine and user left behind when they crashed.
 *
 * What a living process made stays, and so does whatever can't be removed: that is for another time.
 *
 * @param folder Folder of temporary files.
 */
export async function removeStaleVideos(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    if (await isStale(path, name)) await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function isStale(path: string, name: string): Promise<boolean> {
  const [, host, pid] = new RegExp(`^${PREFIX}-([0-9a-f]{8})-(\\d+)-`).exec(name) ?? []
  if (host !== HOST) return false
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) return false
  return Number(pid) === process.pid ? isOfEarlierProcess(found.mtimeMs) : !isAlive(Number(pid))
}

function extensionOf(name: string): string {
  const extension = extname(name)
  return /^\.[a-z0-9]{1,8}$/i.test(extension) ? extension : ''
}

function renamed(error: unknown, { path, shownAs }: { path: string; shownAs: string }): unknown {
  if (!(error instanceof StreamError) || !error.message.includes(path)) return error
  return new StreamError(error.code, error.message.replaceAll(path, shownAs), { cause: error.cause })
}
