import { mkdir, rm, statfs } from 'node:fs/promises'

import { expectText } from '../../../checks.js'
import { StreamError } from '../../../errors.js'
import { RepositoryCache, cacheError, noSpace } from './cache.js'
import { chooseCheckpointFiles } from './checkpoint-files.js'
import { isIntact } from './checksum.js'
import { type HubConnection, type HubWait, pullAborted } from './connection.js'
import { fetchBlob } from './fetch-blob.js'
import { bytesLeftBehind } from './partial-file.js'
import { type Repository, parseRepository, shownRepository } from './repository.js'
import { type HubFile, type Revision, readRevision } from './revision.js'
import { type HubOptions, hubSettings } from './settings.js'

/** How a checkpoint is pulled. */
export interface PullOptions extends HubOptions {
  /** Stops it; what was fetched so far is kept for the next time. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PullProgress) => void
  /** Told before each pause that the hub or its file server asks for (429, 503); the pull goes on by itself. */
  readonly onWait?: (wait: HubWait) => void
  /**
   * Reads what is in the cache already and compares it with the hub's checksums; what differs is fetched anew.
   *
   * @default false: by its size. Whoever put it there, this or another tool, checked it then; the hub's own client takes
   *   it without a look, and has a command of its own for reading gigabytes again.
   */
  readonly verify?: boolean
}

/** How far a pull is. */
export interface PullProgress {
  /** The file being fetched, as the repository names it. */
  readonly file: string
  /** Bytes that are there, those that were there before included. */
  readonly doneBytes: number
  readonly totalBytes: number
}

/**
 * Fetches a checkpoint from the Hugging Face hub, or finds it in the cache.
 *
 * Only what a conversion needs is fetched: configuration, tokenizer and one form of the weights (safetensors rather than
 * pickled ones), never code. Files go to the cache that all tools of the hub share: what is there already is used,
 * and what comes is found by them. A half-fetched file is continued, also after a crash; each is checked against the
 * hub's checksum.
 *
 * @param repository `organisation/name` or `organisation/name@revision`: a branch, a tag or a commit. @default main
 * @returns The folder of the checkpoint, for `convertCheckpoint`.
 * @throws {StreamError} `SETTING_INVALID`, `HUB_REPOSITORY_UNKNOWN`, `HUB_REVISION_UNKNOWN`, `HUB_UNAUTHORIZED` (private,
 *   gated), `HUB_UNREACHABLE`, `HUB_ANSWER_INVALID`, `HUB_OFFLINE`, `HUB_CHECKSUM`, `HUB_NO_SPACE`,
 *   `HUB_CACHE_NOT_WRITABLE`, `CHECKPOINT_NOT_FOUND` (a repository that holds none), `ABORTED`.
 *
 * @example
 * ```ts
 * const checkpoint = await pullCheckpoint('Zhang199/TinyLLaVA-Video-Qwen2.5-3B-Group-16-512')
 * await convertCheckpoint(checkpoint, './models/group-16-512')
 * ```
 */
export async function pullCheckpoint(repository: string, options: PullOptions = {}): Promise<string> {
  const { signal, onProgress, onWait, verify = false, ...hubOptions } = options
  const wanted = parseRepository(expectText('repository', repository))
  const settings = await hubSettings(hubOptions)
  const cache = new RepositoryCache(settings.cacheFolder, wanted)
  if (signal?.aborted === true) throw pullAborted(wanted, signal)
  if (settings.offline && verify) throw verifyOffline()
  if (settings.offline) return cachedCheckpoint(cache, wanted)
  const hub = { repository: wanted, settings, signal, onWait }
  const revision = await readRevision(hub)
  const files = filesOf(hub, revision)
  try {
    await fetchAll({ hub, cache, commit: revision.commit, verify, onProgress }, files)
    await cache.setReference(wanted.revision, revision.commit)
    return cache.snapshot(revision.commit)
  } catch (error) {
    throw pullError(error, hub, cache)
  }
}

function pullError(error: unknown, { repository, signal }: HubConnection, { folder }: RepositoryCache): unknown {
  return signal?.aborted === true ? pullAborted(repository, signal) : cacheError(error, folder)
}

interface Pull {
  readonly hub: HubConnection
  readonly cache: RepositoryCache
  readonly commit: string
  readonly verify: boolean
  readonly onProgress: PullOptions['onProgress']
}

/** One file after the other: the first shards that are whole stay, whatever comes after. */
async function fetchAll(pull: Pull, files: readonly HubFile[]): Promise<void> {
  const { hub, cache, commit, onProgress } = pull
  const absent = await absentFiles(pull, files)
  const totalBytes = sum(files)
  let doneBytes = totalBytes - sum(absent)
  await mkdir(cache.blobs, { recursive: true })
  await checkSpace(cache, absent)
  for (const file of absent) {
    const onBytes = (bytes: number): void => onProgress?.({ file: file.path, doneBytes: doneBytes + bytes, totalBytes })
    await fetchBlob({ hub, cache, commit, onBytes }, file)
    doneBytes += file.bytes
  }
  for (const file of files) await cache.link(commit, file)
}

/** The files whose bytes are not in the cache. */
async function absentFiles({ hub, cache, commit, verify, onProgress }: Pull, files: readonly HubFile[]): Promise<readonly HubFile[]> {
  const totalBytes = sum(files)
  const absent: HubFile[] = []
  let doneBytes = 0
  for (const file of files) {
    const copies = await cache.copies(commit, file)
    if (copies.length > 0 && verify) onProgress?.({ file: file.path, doneBytes, totalBytes })
    const whole = verify ? await keepIntact(copies, file, hub.signal) : copies
    if (whole.length > 0) doneBytes += file.bytes
    else absent.push(file)
  }
  return absent
}

/** Reads all copies of a file and removes the spoilt ones: in the commit's folder they would be in the way of what is right. */
async function keepIntact(copies: readonly string[], file: HubFile, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const intact: string[] = []
  for (const copy of copies) {
    if (await isIntact(copy, file, signal).catch(notWhereRemoved)) intact.push(copy)
    else await rm(copy, { force: true })
  }
  return intact
}

/** Another pull that reads the same copy may have removed it since. */
function notWhereRemoved(error: unknown): false {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
  throw error
}

const sum = (files: readonly HubFile[]): number => files.reduce((bytes, file) => bytes + file.bytes, 0)

async function checkSpace({ folder, blobs }: RepositoryCache, absent: readonly HubFile[]): Promise<void> {
  const leftBehind = await Promise.all(absent.map((file) => bytesLeftBehind(blobs, file)))
  const neededBytes = sum(absent) - leftBehind.reduce((bytes, more) => bytes + more, 0)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= neededBytes) return
  const [left, needed] = [bavail * bsize, neededBytes].map((bytes) => Math.round(bytes / 1e6))
  throw noSpace(`The disk of ${folder} has ${left} MB left, the files take ${needed} MB`)
}

function filesOf({ repository, settings: { endpoint } }: HubConnection, { files }: Revision): readonly HubFile[] {
  const { paths, lacking } = chooseCheckpointFiles(files.map(({ path }) => path))
  if (lacking === undefined) return files.filter(({ path }) => paths.includes(path))
  const message = `${shownRepository(repository)} at ${endpoint} is no checkpoint: it holds no ${lacking}. Name another repository.`
  throw new StreamError('CHECKPOINT_NOT_FOUND', message)
}

function verifyOffline(): StreamError {
  const message = 'HF_HUB_OFFLINE is set, and verifying compares with what the hub lists. Unset it, or leave verifying out.'
  return new StreamError('SETTING_INVALID', message)
}

/** The checkpoint as an earlier pull, or another tool, has left it in the cache. */
async function cachedCheckpoint(cache: RepositoryCache, repository: Repository): Promise<string> {
  const commit = await cache.commitOf(repository.revision)
  const { lacking } = chooseCheckpointFiles(commit === undefined ? [] : await cache.filesOf(commit))
  if (commit !== undefined && lacking === undefined) return cache.snapshot(commit)
  const what = commit === undefined ? 'it was never pulled' : `it holds no ${lacking ?? 'files'}`
  const message = `HF_HUB_OFFLINE is set, and ${cache.folder} can't serve ${shownRepository(repository)}: ${what}. Pull it online first.`
  throw new StreamError('HUB_OFFLINE', message)
}
