import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { type TensorEntry, readSafetensorsHeader } from './safetensors.js'

const SINGLE_FILE = 'model.safetensors'
const INDEX_FILE = 'model.safetensors.index.json'

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/)) })

/**
 * The tensors of a checkpoint below a common prefix, each to be taken by the part that needs it.
 *
 * Building a graph takes tensors; nothing is read before all were taken and `CheckpointWeights.check`
 * found none missing and none left over.
 */
export interface Weights {
  /** The tensors below `prefix.`; taken ones count for the whole checkpoint. */
  scope(prefix: string): Weights
  /**
   * Takes a tensor. One that is missing is noted (see `check`) and an empty entry returned.
   *
   * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID` if its shape differs.
   */
  take(name: string, shape: readonly number[]): TensorEntry
  /** Declares that tensors below this scope whose name matches are known and not needed. */
  ignore(pattern: RegExp): void
}

/** What has been taken so far; shared by all scopes of one checkpoint. */
interface Book {
  readonly entries: ReadonlyMap<string, TensorEntry>
  readonly taken: Set<string>
  readonly missing: Set<string>
}

/** The weights of a whole checkpoint. */
export interface CheckpointWeights extends Weights {
  /**
   * Checks that every tensor needed is there and every tensor there was needed.
   *
   * @throws {StreamError} `CHECKPOINT_TENSOR_MISSING`, `CHECKPOINT_TENSOR_UNUSED`, naming them.
   */
  check(): void
}

/**
 * Opens the weights of a checkpoint folder: `model.safetensors`, or shards with their index.
 *
 * @throws {StreamError} `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_WEIGHTS_INVALID`.
 */
export async function openWeights(directory: string): Promise<CheckpointWeights> {
  const lists = await Promise.all((await weightFiles(directory)).map((file) => readSafetensorsHeader(join(directory, file))))
  const entries = new Map<string, TensorEntry>()
  for (const entry of lists.flat()) {
    if (entries.has(entry.name)) {
      throw new StreamError('CHECKPOINT_WEIGHTS_INVALID', `Tensor ${entry.name} is in two shards of ${directory}.`)
    }
    entries.set(entry.name, entry)
  }
  const book: Book = { entries, taken: new Set(), missing: new Set() }
  return {
    ...weightsBelow(book, ''),
    check: () => {
      checkBook(book, directory)
    },
  }
}

async function weightFiles(directory: string): Promise<readonly string[]> {
  if (existsSync(join(directory, SINGLE_FILE))) return [SINGLE_FILE]
  const indexPath = join(directory, INDEX_FILE)
  if (!existsSync(indexPath)) {
    throw new StreamError(
      'CHECKPOINT_NOT_FOUND',
      `${directory} holds neither ${SINGLE_FILE} nor ${INDEX_FILE}. Name the folder of a TinyLLaVA-Video checkpoint.`,
    )
  }
  const files = await readIndex(indexPath)
  const absent = files.filter((file) => !existsSync(join(directory, file)))
  if (absent.length === 0) return files
  throw new StreamError(
    'CHECKPOINT_WEIGHTS_INVALID',
    `${INDEX_FILE} names shards that are not in ${directory}: ${absent.join(', ')}. Fetch them too.`,
  )
}

async function readIndex(path: string): Promise<readonly string[]> {
  try {
    const index = indexSchema.parse(JSON.parse(await readFile(path, 'utf8')))
    return [...new Set(Object.values(index.weight_map))].sort()
  } catch (cause) {
    throw new StreamError('CHECKPOINT_WEIGHTS_INVALID', `${path} is not an index of safetensors shards.`, { cause })
  }
}

function weightsBelow(book: Book, prefix: string): Weights {
  return {
    scope: (name) => weightsBelow(book, `${prefix}${name}.`),
    take: (name, shape) => takeTensor(book, prefix + name, shape),
    ignore: (pattern) => {
      for (const name of book.entries.keys()) {
        if (name.startsWith(prefix) && pattern.test(name.slice(prefix.length))) book.taken.add(name)
      }
    },
  }
}

function takeTensor(book: Book, name: string, shape: readonly number[]): TensorEntry {
  const entry = book.entries.get(name)
  if (entry === undefined) {
    book.missing.add(`${name} [${shape.join(', ')}]`)
    return { name, elementType: 'F32', shape, file: '', offset: 0, bytes: 0 }
  }
  if (entry.shape.join() !== shape.join()) {
    throw new StreamError(
      'CHECKPOINT_WEIGHTS_INVALID',
      `Tensor ${name} has shape [${entry.shape.join(', ')}], config.json asks for [${shape.join(', ')}].`,
    )
  }
  book.taken.add(name)
  return entry
}

function checkBook(book: Book, directory: string): void {
  if (book.missing.size > 0) {
    throw new StreamError('CHECKPOINT_TENSOR_MISSING', `${directory} lacks ${listNames(book.missing)}.`)
  }
  const unused = [...book.entries.keys()].filter((name) => !book.taken.has(name))
  if (unused.length > 0) {
    throw new StreamError(
      'CHECKPOINT_TENSOR_UNUSED',
      `${directory} holds tensors that no part named in config.json uses: ${listNames(unused)}. ` +
        'Check connector_type and the model types in config.json.',
    )
  }
}

function listNames(names: Iterable<string>): string {
  const sorted = [...names].sort()
  const shown = sorted.slice(0, 8).join(', ')
  return sorted.length > 8 ? `${shown} and ${sorted.length - 8} more` : shown
}
