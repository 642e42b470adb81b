import { relative } from 'node:path'

import { StreamError } from '../../errors.js'
import {
  type CheckpointTensor, ELEMENT_BYTES, type ElementType, type StoredType, type TensorEntry, isElementType, showOrigin, showShape,
} from './tensor.js'

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
  /** Shape of a tensor, which is not taken by that; undefined: there is none of this name. */
  shapeOf(name: string): readonly number[] | undefined
  /** Declares that tensors below this scope whose name matches are known and not needed. */
  ignore(pattern: RegExp): void
}

/** What a layout's own files call a tensor. */
export interface OwnName {
  readonly name: string
  /** Inside the checkpoint's folder, where the layout has several. */
  readonly folder?: string
}

/** A checkpoint's own words for things: whoever reads a message looks for them in its files. */
export interface CheckpointTerms {
  readonly directory: string
  /** A tensor's own name, by the one that parts know it by. */
  readonly ownName: (name: string) => OwnName
  /** The fields of `config.json` that decide which tensors there are, e.g. `text_config and vision_config`. */
  readonly fields: string
}

/** What has been taken so far; shared by all scopes of one checkpoint. */
interface Book {
  readonly terms: CheckpointTerms
  readonly tensors: ReadonlyMap<string, CheckpointTensor>
  readonly taken: Set<string>
  readonly missing: Set<string>
}

/** The weights of a whole checkpoint. */
export interface CheckpointWeights extends Weights {
  /**
   * Checks that every tensor needed is there and every tensor there was needed.
   *
   * Tied weights, which a pickled file holds under two names, count as taken where one of them was. Integers
   * nobody took are buffers that follow from the configuration (`position_ids`), never weights.
   *
   * @throws {StreamError} `CHECKPOINT_TENSOR_MISSING`, `CHECKPOINT_TENSOR_UNUSED`, naming them.
   */
  check(): void
}

/**
 * Makes a checkpoint's tensors available to the parts.
 *
 * @param tensors Under the names of TinyLLaVA Factory: `language_model.…`, `vision_tower._vision_tower.…`, `connector._connector.…`.
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID` where two have one name.
 */
export function checkpointWeights(tensors: readonly CheckpointTensor[], terms: CheckpointTerms): CheckpointWeights {
  const book: Book = { terms, tensors: byName(tensors), taken: new Set(), missing: new Set() }
  return {
    ...weightsBelow(book, ''),
    check: () => {
      checkBook(book)
    },
  }
}

function byName(tensors: readonly CheckpointTensor[]): ReadonlyMap<string, CheckpointTensor> {
  const found = new Map<string, CheckpointTensor>()
  for (const tensor of tensors) {
    const other = found.get(tensor.name)
    if (other !== undefined) throw invalid(`Tensor ${showOrigin(tensor)} is also ${showOrigin(other)}: only one can be right.`)
    found.set(tensor.name, tensor)
  }
  return found
}

function weightsBelow(book: Book, prefix: string): Weights {
  return {
    scope: (name) => weightsBelow(book, `${prefix}${name}.`),
    take: (name, shape) => takeTensor(book, prefix + name, shape),
    shapeOf: (name) => book.tensors.get(prefix + name)?.shape,
    ignore: (pattern) => {
      for (const name of book.tensors.keys()) {
        if (name.startsWith(prefix) && pattern.test(name.slice(prefix.length))) book.taken.add(name)
      }
    },
  }
}

function takeTensor(book: Book, name: string, shape: readonly number[]): TensorEntry {
  const tensor = book.tensors.get(name)
  if (tensor === undefined) {
    book.missing.add(showMissing(book.terms.ownName(name), shape))
    const origin = { name, file: book.terms.directory }
    return { name, origin, elementType: 'F32', shape, bytes: 0, open: () => Promise.reject(new Error(`${name} is missing.`)) }
  }
  if (tensor.shape.join() !== shape.join()) {
    const advice = `Check the sizes there, and ${book.terms.fields}`
    throw invalid(`Tensor ${showOrigin(tensor)} has shape ${showShape(tensor.shape)}, config.json asks for ${showShape(shape)}. ${advice}.`)
  }
  book.taken.add(name)
  return { ...tensor, elementType: readableType(tensor) }
}

function showMissing({ name, folder }: OwnName, shape: readonly number[]): string {
  return `${name} ${showShape(shape)}${folder === undefined ? '' : ` of ${folder}/`}`
}

function readableType(tensor: CheckpointTensor): ElementType {
  if (isElementType(tensor.elementType)) return tensor.elementType
  const known = Object.keys(ELEMENT_BYTES).join(', ')
  const advice = `only ${known} can be read. Save the checkpoint again in one of these`
  throw invalid(`Tensor ${showOrigin(tensor)} is kept as ${tensor.elementType}; ${advice}.`)
}

function checkBook(book: Book): void {
  const { missing, terms: { directory, fields } } = book
  const advice = `Check ${fields} in config.json, and that the weights are of the same checkpoint.`
  if (missing.size > 0) {
    throw new StreamError('CHECKPOINT_TENSOR_MISSING', `${directory} lacks ${listNames(missing)}. ${advice}`)
  }
  const unused = listUnused(book)
  if (unused.length > 0) {
    const message = `${directory} holds tensors that nothing in config.json asks for: ${listNames(unused)}. ${advice}`
    throw new StreamError('CHECKPOINT_TENSOR_UNUSED', message)
  }
}

function listUnused({ tensors, taken, terms: { directory } }: Book): readonly string[] {
  const places = new Set([...taken].map((name) => tensors.get(name)?.place))
  return [...tensors.values()]
    .filter(({ name, place, elementType }) => !taken.has(name) && !places.has(place) && !isBuffer(elementType))
    .map(({ origin }) => `${origin.name} of ${relative(directory, origin.file)}`)
}

const isBuffer = (type: StoredType): boolean => /^(I|U|BOOL)/.test(type)

function listNames(names: Iterable<string>): string {
  const sorted = [...names].sort()
  const shown = sorted.slice(0, 8).join(', ')
  return sorted.length > 8 ? `${shown} and ${sorted.length - 8} more` : shown
}

const invalid = (message: string): StreamError => new StreamError('CHECKPOINT_WEIGHTS_INVALID', message)
