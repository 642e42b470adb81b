import { randomUUID } from 'node:crypto'
import { constants, copyFile, mkdir, readFile, readdir, realpath, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

import { StreamError } from '../../../errors.js'
import { type Repository, isCommit } from './repository.js'
import type { HubFile } from './revision.js'

/**
 * A repository's place in the cache that all tools of the hub share:
 *
 * ```
 * models--organisation--name/
 *   blobs/ETAG                       the bytes, by what they are
 *   snapshots/COMMIT/config.json  -> ../../blobs/ETAG
 *   refs/main                        COMMIT
 * ```
 *
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export class RepositoryCache {
  readonly blobs: string
  readonly folder: string

  constructor(cacheFolder: string, { name }: Repository) {
    this.folder = join(cacheFolder, `models--${name.replace('/', '--')}`)
    this.blobs = join(this.folder, 'blobs')
  }

  /** The folder of a commit's files. */
  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit)
  }

  /** Where a file's bytes are, fetched by whomever: its blob, and what is in the commit's folder where that is no link to it. */
  async copies(commit: string, { path, etag, bytes }: HubFile): Promise<readonly string[]> {
    // Where there are no symbolic links, the file itself is in the commit's folder, with a blob beside it or without.
    const places = [join(this.blobs, etag), join(this.snapshot(commit), path)]
    const sizes = await Promise.all(places.map(sizeOf))
    const targets = await Promise.all(places.map((place) => realpath(place).catch(() => place)))
    return places.filter((_, at) => sizes[at] === bytes && targets.indexOf(targets[at] ?? '') === at)
  }

  /** Makes a file whose bytes are there appear in a commit's folder. */
  async link(commit: string, { path, etag, bytes }: HubFile): Promise<void> {
    const place = join(this.snapshot(commit), path)
    if ((await sizeOf(place)) === bytes) return
    await mkdir(dirname(place), { recursive: true })
    const made = `${place}.${randomUUID()}`
    await linkOrCopy(join(this.blobs, etag), made)
    await rename(made, place)
  }

  /** Notes which commit a branch or tag means. */
  async setReference(revision: string, commit: string): Promise<void> {
    if (revision === commit) return
    const path = join(this.folder, 'refs', revision)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, commit)
  }

  /** The commit that a revision meant when it was last fetched. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision
    const commit = await readFile(join(this.folder, 'refs', revision), 'utf8').catch(() => '')
    return isCommit(commit.trim()) ? commit.trim() : undefined
  }

  /** Paths of the files of a commit that are there, with `/` between folders. */
  async filesOf(commit: string): Promise<readonly string[]> {
    const folder = this.snapshot(commit)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const paths = entries.map(({ parentPath, name }) => join(parentPath, name))
    // A link whose bytes were removed leads nowhere.
    const sizes = await Promise.all(paths.map(sizeOf))
    return paths.filter((_, place) => sizes[place] !== undefined).map((path) => relative(folder, path).replaceAll('\\', '/'))
  }
}

/** What is said where there are no symbolic links: on Windows without the right to make them, or by the file system itself. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP'])

/** A link as the hub's other tools make it, or a copy where they copy, too. */
async function linkOrCopy(blob: string, made: string): Promise<void> {
  await symlink(relative(dirname(made), blob), made).catch(async (error: unknown) => {
    if (!WITHOUT_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    await copyFile(blob, made, constants.COPYFILE_FICLONE)
  })
}

/** Bytes of a file, links followed; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true ? found.size : undefined
}

/** Errors of the file system say what to do; all others stay as they are. */
export function cacheError(error: unknown, folder: string): unknown {
  if (error instanceof StreamError || !(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return noSpace(`The disk of ${folder} is full`, error)
  const message = `${folder} can't be written (${error.message}). Set HF_HUB_CACHE to a folder that you may write to.`
  return new StreamError('HUB_CACHE_NOT_WRITABLE', message, { cause: error })
}

/** The error for a disk without room. */
export function noSpace(what: string, cause?: unknown): StreamError {
  const advice = 'Make room, or set HF_HUB_CACHE to a folder on another disk; what was fetched so far is kept'
  return new StreamError('HUB_NO_SPACE', `${what}. ${advice}.`, { cause })
}
