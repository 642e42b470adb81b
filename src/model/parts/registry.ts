import { StreamError } from '../../errors.js'

/** A table of parts of one kind (towers, templates, …), each found by its exact name. */
export interface Registry<Part> {
  /**
   * Adds a part.
   *
   * @throws {StreamError} `SETTING_INVALID` where the name is empty or already taken: a part is never replaced in silence.
   */
  register(name: string, part: Part): void
  /**
   * Finds a part by its exact name; no substring and no case folding, so one name can't match two parts.
   *
   * @throws {StreamError} `PART_UNKNOWN`, listing the names that are known.
   */
  get(name: string): Part
  /** Whether a part has this name. */
  has(name: string): boolean
  /** All names, in alphabetical order. */
  names(): readonly string[]
}

/**
 * Makes an empty registry.
 *
 * @param noun What a part is called in messages, e.g. `vision tower`.
 *
 * @example
 * ```ts
 * const towers = createRegistry<Tower>('vision tower')
 * towers.register('siglip', siglip)
 * towers.get('sigblip') // PART_UNKNOWN: There is no vision tower `sigblip`. Known: siglip.
 * ```
 */
export function createRegistry<Part>(noun: string): Registry<Part> {
  const parts = new Map<string, Part>()
  const names = (): readonly string[] => [...parts.keys()].sort()

  return {
    register(name, part) {
      if (name === '') throw new StreamError('SETTING_INVALID', `A ${noun} needs a name to be registered.`)
      if (parts.has(name)) {
        throw new StreamError('SETTING_INVALID', `A ${noun} named \`${name}\` is registered already. Choose another name.`)
      }
      parts.set(name, part)
    },
    get(name) {
      const part = parts.get(name)
      if (part !== undefined) return part
      const known = parts.size === 0 ? 'none' : names().join(', ')
      throw new StreamError('PART_UNKNOWN', `There is no ${noun} \`${name}\`. Known: ${known}.`)
    },
    has: (name) => parts.has(name),
    names,
  }
}
