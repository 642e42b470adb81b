import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { checkSettings } from '../../settings.js'
import { directory } from '../../sources/directory.js'
import { file } from '../../sources/file.js'
import { image } from '../../sources/image.js'
import { rtsp } from '../../sources/rtsp.js'
import type { Source } from '../../sources/source.js'

/**
 * Makes sources from JSON, by `kind`. A factory is handed everything beside `kind`, checks it, and throws
 * `SETTING_INVALID`.
 */
export type SourceFactories = Readonly<Record<string, (settings: unknown) => Source>>

/** Whoever may send requests must not thereby read the environment, choose where files are written, or which devices work. */
const refused = z.never('is not taken from a request').optional()

const noFolder = z.looseObject({ folder: refused }).optional()

/** The sources that are described by one text and options, which they check themselves. */
export const defaultSourceFactories: SourceFactories = {
  directory: factory({ kind: 'directory', where: 'path', refusals: { hwaccel: refused } }, (path, options) => directory(path, options)),
  file: factory(
    { kind: 'file', where: 'path', refusals: { hwaccel: refused, download: noFolder } },
    (path, options) => file(path, options),
  ),
  image: factory({ kind: 'image', where: 'path', refusals: { download: noFolder } }, (path, options) => image(path, options)),
  rtsp: factory(
    { kind: 'rtsp', where: 'url', refusals: { hwaccel: refused, userEnv: refused, passwordEnv: refused } },
    (url, options) => rtsp(url, options),
  ),
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

interface FactoryFields {
  readonly kind: string
  /** Name of the field that says where the video is. */
  readonly where: string
  /** What must not be in it. */
  readonly refusals?: Readonly<Record<string, z.ZodType>>
}

/** A factory of a source that is made as `make(where, options)`; `make` checks its options as those from JavaScript. */
function factory(
  { kind, where, refusals }: FactoryFields,
  make: (where: string, options: object) => Source,
): (settings: unknown) => Source {
  const schema = z.looseObject({ ...refusals, [where]: z.string() })
  return (settings) => {
    const { [where]: place, ...options } = checkSettings(kind, schema, settings)
    return make(String(place), options)
  }
}
