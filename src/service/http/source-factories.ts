import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { checkSettings } from '../../settings.js'
import { directory } from '../../sources/directory.js'
import { file } from '../../sources/file.js'
import { rtsp } from '../../sources/rtsp.js'
import type { Source } from '../../sources/source.js'

/**
 * Makes sources from JSON, by `kind`. A factory is handed everything beside `kind`, checks it, and throws
 * `SETTING_INVALID`.
 */
export type SourceFactories = Readonly<Record<string, (settings: unknown) => Source>>

/** The sources that are described by one text and options, which they check themselves. */
export const defaultSourceFactories: SourceFactories = {
  directory: factory('directory', 'path', (path, options) => directory(path, options)),
  file: factory('file', 'path', (path, options) => file(path, options)),
  rtsp: factory('rtsp', 'url', (url, options) => rtsp(url, options)),
}

const requestSchema = z.looseObject({ kind: z.string() })

/**
 * Makes the source that a request describes.
 *
 * @param description `{ kind, … }`, everything else as the kind's factory wants it.
 * @throws {StreamError} `PART_UNKNOWN`, `SETTING_INVALID`, whatever the factory throws.
 */
export function makeSource(factories: SourceFactories, description: unknown): Source {
  const { kind, ...settings } = checkSettings('source', requestSchema, description)
  const make = Object.hasOwn(factories, kind) ? factories[kind] : undefined
  if (make !== undefined) return make(settings)
  const known = Object.keys(factories).sort().join(', ')
  throw new StreamError('PART_UNKNOWN', `There is no kind of source "${kind}" that can be added here. There are: ${known}.`)
}

/** A factory of a source that is made as `make(where, options)`: `{ [whereName]: where, …options }`. */
function factory(
  kind: string,
  whereName: string,
  make: (where: string, options: object) => Source,
): (settings: unknown) => Source {
  const schema = z.looseObject({ [whereName]: z.string() })
  return (settings) => {
    const { [whereName]: where, ...options } = checkSettings(kind, schema, settings)
    // `make` checks its options itself, as it does for those that come from JavaScript.
    return make(String(where), options)
  }
}
