import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { StreamError } from '../errors.js'
import type { ConvertProgress } from '../model/convert.js'
import { BUNDLE_VERSION } from '../model/manifest.js'
import { openBundle } from '../model/runtime/bundle.js'
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
 * and renamed into place: of two processes that build at once the slower one takes the other's. A bundle
 * that isn't whole any more, as caches are cleaned by hand and by age, is built again.
 *
 * @returns the bundle's folder.
 * @throws {StreamError} `CHECKPOINT_*`, `CONVERT_*`, `ABORTED`; `SETTING_INVALID` where the cache can't be written.
 */
export async function demoBundle(options: DemoBundleOptions = {}): Promise<string> {
  const { checkpoint = DEMO_CHECKPOINT, signal, onProgress } = options
  const bundle = join(cacheFolder(), 'bundles', await digestOf(checkpoint))
  if (await isWhole(bundle)) return bundle

  const workshop = await makeWorkshop(bundle)
  try {
    const built = join(workshop, 'built')
    // Only here, for the command line: what converts takes longer to load than all that answers.
    const { convertCheckpoint } = await import('../model/convert.js')
    await convertCheckpoint(checkpoint, built, {
      name: 'tinyllava-stream-demo',
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    })
    await putInPlace(built, bundle, join(workshop, 'damaged'))
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
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

async function isWhole(bundle: string): Promise<boolean> {
  return openBundle(bundle).then(
    () => true,
    () => false,
  )
}

/** Makes a folder to build in, beside the bundle's: whatever is in it goes with it. */
async function makeWorkshop(bundle: string): Promise<string> {
  const folder = dirname(bundle)
  try {
    await mkdir(folder, { recursive: true })
    return await mkdtemp(`${bundle}.build-`)
  } catch (cause) {
    throw cacheError(folder, cause)
  }
}

/** @param away Where a bundle that is there and isn't whole is moved to. */
async function putInPlace(built: string, bundle: string, away: string): Promise<void> {
  try {
    await rename(built, bundle)
  } catch {
    // A folder that isn't empty can't be renamed over: another process was first, and its bundle is as good;
    // or it is what is left of one.
    if (await isWhole(bundle)) return
    await replace(built, bundle, away)
  }
}

async function replace(built: string, bundle: string, away: string): Promise<void> {
  try {
    await rename(bundle, away)
    await rename(built, bundle)
  } catch (cause) {
    // Another process that heals the same bundle may have been between the two steps.
    if (!(await isWhole(bundle))) throw cacheError(dirname(bundle), cause)
  }
}

function cacheError(folder: string, cause: unknown): StreamError {
  return new StreamError(
    'SETTING_INVALID',
    `The cache folder ${folder} can't be written: set TINYLLAVA_STREAM_CACHE to a folder that this user may write.`,
    { cause },
  )
}
