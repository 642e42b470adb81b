import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'

import { createJiti } from 'jiti'
import * as rxjs from 'rxjs'
import * as zod from 'zod'

import { type ErrorCode, StreamError } from '../errors.js'
import * as library from '../index.js'
import * as parts from '../parts.js'

/** A TypeScript or JavaScript file that a user wrote. */
export interface UserFile {
  readonly path: string
  /** What it is for, in messages: `a pipeline`. */
  readonly purpose: string
  /** Code of the errors: there is no such file, or it can't be loaded. */
  readonly code: ErrorCode
}

/**
 * Evaluates a user's file and returns what it exports.
 *
 * The file may lie anywhere: its imports of `tinyllava-stream`, `tinyllava-stream/parts`, `rxjs` and `zod` are this very package
 * and those that it uses, so that classes and registries are the same ones. Works on every supported Node, as types
 * are stripped by jiti and not by Node.
 *
 * @throws {StreamError} The file's `code`, or what the file itself throws.
 */
export async function evaluateUserFile({ path, purpose, code }: UserFile): Promise<Readonly<Record<string, unknown>>> {
  const file = resolve(path)
  const isFile = await stat(file).then((stats) => stats.isFile(), () => false)
  if (!isFile) throw new StreamError(code, `There is no file ${file}: name the file of ${purpose}.`)
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    interopDefault: false,
    virtualModules: { 'tinyllava-stream': library, 'tinyllava-stream/parts': parts, rxjs, zod },
  })
  try {
    return await jiti.import(file)
  } catch (error) {
    if (error instanceof StreamError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StreamError(code, `${file} could not be loaded: ${reason}`, { cause: error })
  }
}
