import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { StreamError } from '../errors.js'
import { convertCheckpoint } from '../model/convert.js'
import type { ConvertProgress } from '../model/convert.js'
import { BUNDLE_VERSION, MANIFEST_FILE } from '../model/manifest.js'
import { packageVersion } from '../version.js'

/** The checkpoint that comes with the package; two folders up from `src/service` and from `dist/service`. */
const DEMO_CHECKPOINT = fileURLToPath(new URL('../../models/demo', import.meta.url))

/** How the demo bundle is built. */
export interface DemoBundleOptions {
  /** Stops building; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** Told how far building is; not called where the bundle is there already. */
  readonly onProgress?: (progress: ConvertProgress) => void
  /** Checkpoint to build. @default the one that comes with the package */
  readonly checkpoint?: string
}

/**
 * Finds the bundle of the embedded demo model, and builds it at its first use.
 *
 * It lies in the user's cache under a digest of the checkpoint and of what builds it. It is built beside
 * and renamed into place: a bundle that is there is whole, and of two processes that build at once the
 * slower one takes the other's.
 *
 * @returns the bundle's folder.
 * @throws {StreamError} `CHECKPOINT_*`, `CONVERT_*`, `ABORTED`; `SETTING_INVALID` where the cache can't be written.
 */
export async function demoBundle(options: DemoBundleOptions = {}): Promise<string> {
  const { checkpoint = DEMO_CHECKPOINT, signal, onProgress } = options
  const bundle = join(cacheFolder(), 'bundles', await digestOf(checkpoint))
  if (existsSync(join(bundle, MANIFEST_FILE))) return bundle

  await makeFolder(dirname(bundle))
  const beside = `${bundle}.build-${randomUUID()}`
  await convertCheckpoint(checkpoint, beside, {
    name: 'tinyllava-stream-demo',
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  })
  await putInPlace(beside, bundle)
  return bundle
}

/** The user's cache folder of this package: `TINYLLAVA_STREAM_CACHE`, else where the system keeps caches. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment.TINYLLAVA_STREAM_CACHE
  if (own !== undefined && own !== '') return resolve(own)
  const shared = environment.XDG_CACHE_HOME
  return join(shared === undefined || shared === '' ? join(homedir(), '.cache') : shared, 'tinyllava-stream')
}

async function digestOf(checkpoint: string): Promise<string> {
  const hash = createHash('sha256').update(`${packageVersion()} ${BUNDLE_VERSION}\n`)
  const names = await readdir(checkpoint).catch((cause: unknown) => {
    const message = `There is no demo model at ${checkpoint}: install the package again.`
    throw new StreamError('CHECKPOINT_NOT_FOUND', message, { cause })
  })
  for (const name of names.sort()) hash.update(`${name}\n`).update(await readFile(join(checkpoint, name)))
  return hash.digest('hex')
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new StreamError(
      'SETTING_INVALID',
      `The cache folder ${folder} can't be made: set TINYLLAVA_STREAM_CACHE to a folder that this user may write.`,
      { cause },
    )
  })
}

async function putInPlace(beside: string, bundle: string): Promise<void> {
  try {
    await rename(beside, bundle)
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    // A folder that isn't empty can't be renamed over: another process was first, and its bundle is as good.
    if (!existsSync(join(bundle, MANIFEST_FILE))) throw error
  }
}
