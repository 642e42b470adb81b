import { basename } from 'node:path'

import { StreamError } from '../../errors.js'
import type { Registry } from './registry.js'

/** Where a checkpoint names one of its parts. */
export interface PartReference {
  /** `model_type` of the part's own configuration, where it has one. */
  readonly modelType: string | undefined
  /** The base model's repository or path, e.g. `Qwen/Qwen2.5-3B` or `siglip:./weights`. */
  readonly path: string
  /** The fields both stand in, for the error. */
  readonly fields: string
}

/** A part and the name it is registered under. */
export interface NamedPart<Part> {
  readonly name: string
  readonly part: Part
}

/**
 * Finds the part a checkpoint names: by a name in front of the base model's (`mof:openai/…`), else by its `model_type`,
 * else by the longest registered name in the base model's name. (The reference takes the last registered substring, which
 * confuses `resampler` with `groupresampler`.)
 *
 * @throws {StreamError} `PART_UNKNOWN`, listing the known ones.
 */
export function findPart<Part extends { readonly modelTypes: readonly string[] }>(
  registry: Registry<Part>,
  { modelType, path, fields }: PartReference,
): NamedPart<Part> {
  const parts = registry.names().map((name) => ({ name, part: registry.get(name) }))
  const bySaying = parts.find(({ name }) => path.toLowerCase().startsWith(`${name}:`))
  if (bySaying !== undefined) return bySaying
  const byType = parts.find(({ part }) => modelType !== undefined && part.modelTypes.includes(modelType))
  if (byType !== undefined) return byType
  const baseName = basename(path.split(':')[0] ?? '').toLowerCase()
  const byName = parts.filter(({ name }) => baseName.includes(name)).sort((a, b) => b.name.length - a.name.length)[0]
  // A type we don't know is not guessed at from a name that looks alike.
  if (byName !== undefined && modelType === undefined) return byName
  const known = parts.map(({ name, part }) => `${name} (${part.modelTypes.join(', ')})`).join('; ')
  throw new StreamError('PART_UNKNOWN', `No part is registered for ${fields} ${modelType ?? path}. Known: ${known}.`)
}

/**
 * Finds a part by its registered name, else by the one pattern that matches the whole of what was asked for.
 *
 * @throws {StreamError} `PART_UNKNOWN`, listing the known ones, or naming those whose patterns both match.
 */
export function findByName<Part extends { readonly matches?: RegExp }>(registry: Registry<Part>, name: string): Part {
  const [found, ...others] = registry.has(name) ? [name] : registry.names().filter((known) => matchesWhole(registry.get(known), name))
  if (others.length === 0) return registry.get(found ?? name)
  const claims = [found, ...others].join(', ')
  throw new StreamError('PART_UNKNOWN', `\`${name}\` could be any of ${claims}. Let only one of their patterns match it.`)
}

function matchesWhole({ matches }: { readonly matches?: RegExp }, name: string): boolean {
  return matches !== undefined && new RegExp(`^(?:${matches.source})$`, matches.flags).test(name)
}
