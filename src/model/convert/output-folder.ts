import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'

import { StreamError } from '../../errors.js'
import { MANIFEST_FILE } from '../manifest.js'

/** Where a bundle goes. */
export interface OutputOptions {
  readonly checkpoint: string
  readonly out: string
  /** Whether a bundle that is there already may be replaced. */
  readonly overwrite: boolean
}

/**
 * Refuses a folder that must not be written to: one that exists, unless it is a bundle that may be
 * replaced, and one that shares its place with the checkpoint.
 *
 * @throws {StreamError} `CONVERT_OUTPUT_EXISTS`.
 */
export async function checkOutput({ checkpoint, out, overwrite }: OutputOptions): Promise<void> {
  if (isWithin(out, checkpoint) || isWithin(checkpoint, out)) {
    throw exists(`${out} and the checkpoint ${checkpoint} are in one another. Name a folder of its own.`)
  }
  if (!existsSync(out)) return
  if (!overwrite) throw exists(`${out} exists already. Name another folder, or remove it first.`)
  if (!(await isBundle(out))) throw exists(`${out} exists and is not a bundle, so it is not replaced. Name another folder.`)
}

/**
 * Fills a folder beside `out` and renames it into place: what is at `out` is always whole.
 *
 * @param fill Writes everything into the folder it is handed.
 * @throws {StreamError} `CONVERT_OUTPUT_EXISTS` if somebody else was faster, `CONVERT_NO_SPACE`,
 *   `CONVERT_NOT_WRITABLE`; whatever `fill` throws.
 */
export async function fillOutput<Result>(options: OutputOptions, fill: (folder: string) => Promise<Result>): Promise<Result> {
  const { out } = options
  const partial = `${out}.partial-${randomUUID()}`
  try {
    await mkdir(dirname(out), { recursive: true })
    await mkdir(partial)
    const result = await fill(partial)
    await putInPlace(partial, options)
    return result
  } catch (error) {
    // What went wrong first is what counts; a folder that could not be made can't be removed either.
    await rm(partial, { recursive: true, force: true }).catch(() => undefined)
    throw writingError(error, out)
  }
}

async function putInPlace(partial: string, options: OutputOptions): Promise<void> {
  // Converting takes minutes: look again.
  await checkOutput(options)
  const { out } = options
  // Without `overwrite` by rename alone: whoever was faster since the look is never replaced.
  if (!options.overwrite || !existsSync(out)) {
    await rename(partial, out).catch((error: unknown) => {
      throw isTaken(error) ? exists(`${out} is there already: another conversion was faster.`) : error
    })
    return
  }
  const old = `${out}.old-${randomUUID()}`
  await rename(out, old)
  try {
    await rename(partial, out)
  } catch (error) {
    await rename(old, out)
    throw error
  }
  await rm(old, { recursive: true, force: true })
}

const isTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')

async function isBundle(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, MANIFEST_FILE), 'utf8').catch(() => '')
  return text.includes('"tinyllava-stream-bundle"') && (await stat(folder)).isDirectory()
}

/** Whether `inner` is `outer` or lies below it. */
function isWithin(inner: string, outer: string): boolean {
  const path = relative(resolve(outer), resolve(inner))
  return path === '' || (!path.startsWith('..') && resolve(path) !== path)
}

/** Errors of the file system say what to do; all others stay as they are. */
function writingError(error: unknown, out: string): unknown {
  if (error instanceof StreamError || !(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return new StreamError('CONVERT_NO_SPACE', `The disk of ${out} is full. Make room or name another disk.`, { cause: error })
  }
  const message = `${out} can't be written (${error.message}). Name a folder that you may write to.`
  return new StreamError('CONVERT_NOT_WRITABLE', message, { cause: error })
}

function exists(message: string): StreamError {
  return new StreamError('CONVERT_OUTPUT_EXISTS', message)
}
