import { type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { StreamError, asStreamError, throwIfAborted } from '../../../errors.js'
import { builtFile } from '../../built-file.js'

/** The least cosine between each picture's features in float32 and as they are converted; documented in docs/MODELS.md. */
export const LEAST_COSINE = 0.999

// Of what a process that failed wrote: the first error says why.
const SHOWN_ERRORS = 2000

/** Two vision encoders to be compared. */
export interface TowerPair {
  /** Path of the graph in float32. */
  readonly exact: string
  /** Path of the graph that was quantised. */
  readonly quantised: string
  /** Side of the square input, in pixels. */
  readonly imageSize: number
}

/**
 * Runs both encoders on a few drawn pictures and compares their features.
 *
 * @returns The least cosine.
 * @throws {StreamError} `CONVERT_INACCURATE` where it is below `LEAST_COSINE`, `MODEL_FAILED`, `ABORTED`.
 */
export async function checkTower({ exact, quantised, imageSize }: TowerPair, signal?: AbortSignal): Promise<number> {
  const least = Math.min(...(await compare([exact, quantised, String(imageSize)], signal)))
  if (least >= LEAST_COSINE) return least
  const found = `cosine ${least.toFixed(4)} on the worst of the test pictures, at least ${LEAST_COSINE} is asked for`
  throw new StreamError(
    'CONVERT_INACCURATE',
    `This tower loses too much in int8-dynamic: ${found}. Convert with --vision-precision int8.`,
  )
}

async function compare(args: readonly string[], signal: AbortSignal | undefined): Promise<readonly number[]> {
  // The process's own flags (a TypeScript loader, `--input-type`) are not for a built file, and can break it.
  const options = { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] as ForkOptions['stdio'], ...(signal && { signal }) }
  try {
    const child = fork(fileURLToPath(builtFile(import.meta.url, 'child.js')), [...args], options)
    const errors: Buffer[] = []
    let cosines: readonly number[] | undefined
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk))
    child.on('message', (message) => { cosines = message as readonly number[] })
    await once(child, 'close')
    if (cosines !== undefined) return cosines
    throw new Error(Buffer.concat(errors).toString('utf8').slice(0, SHOWN_ERRORS))
  } catch (error) {
    throwIfAborted(signal, 'Checking the tower')
    throw asStreamError(error, 'MODEL_FAILED', 'The converted tower could not be checked')
  }
}
