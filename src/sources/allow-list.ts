import { realpath } from 'node:fs/promises'

import { z } from 'zod'

import { StreamError } from '../errors.js'
import { checkSettings } from '../settings.js'
import { type PlainAddress, filePath, isWithin, plainAddress } from './allow-list-address.js'

/** An address that may be read, in the form in which it was checked: read this one and not the text it came from. */
export type AllowedAddress =
  | { readonly kind: 'http'; readonly url: URL }
  | { readonly kind: 'rtsp'; readonly address: string }
  /** `path` has no symbolic link in it. */
  | { readonly kind: 'file'; readonly path: string }

/** Where videos may come from. */
export interface AllowList {
  /**
   * Checks an address. Rejects with `ADDRESS_NOT_ALLOWED`, which names scheme and host alone; with
   * `VIDEO_NOT_FOUND` for a file that isn't there, of a folder that is allowed.
   */
  check(address: string): Promise<AllowedAddress>
}

/**
 * Makes the list of places that addresses from outside (messages, redirects) may lead to. What isn't on it is
 * refused; an empty list refuses everything.
 *
 * An entry is scheme, host, port and the beginning of a path, up to a `/`: `https://videos.example.com/clips/`
 * allows what is below that folder, with https, on port 443, and nothing else. `*` stands for any characters
 * inside one part of a host name: `rtsp://camera-*.local/`. Schemes: `http`, `https`, `rtsp`, `rtsps`, `file`.
 * What a name resolves to is not checked: allow names that you trust.
 *
 * Files are compared after symbolic links are followed, so a link inside an allowed folder leads nowhere else.
 * An address is refused however it dresses up: dot segments, encoded ones too, blanks and control characters,
 * backslashes, a host before an `@`, `concat:`, `file://host/…`.
 *
 * @example
 * ```ts
 * const allow = allowList(['https://videos.example.com/clips/', 'file:///data/videos/'])
 * await allow.check('https://videos.example.com/clips/one.mp4') // { kind: 'http', url }
 * await allow.check('https://videos.example.com/clips/../keys') // rejects with ADDRESS_NOT_ALLOWED
 * ```
 * @throws {StreamError} `SETTING_INVALID`: an entry can't be read, names no host, or has a login or a query.
 */
export function allowList(entries: readonly string[]): AllowList {
  const allowed = checkSettings('allowList', entriesSchema, entries).flatMap((entry) => plainAddress(entry) ?? [])
  return {
    check: async (address) => {
      const plain = plainAddress(address)
      const fitting = plain === undefined ? [] : allowed.filter((entry) => isWithin(plain, entry))
      if (plain === undefined || fitting.length === 0) throw refusal(address, plain)
      if (plain.scheme === 'file') return { kind: 'file', path: await realFile(plain, fitting) }
      return plain.scheme.startsWith('rtsp')
        ? { kind: 'rtsp', address }
        : { kind: 'http', url: new URL(address) }
    },
  }
}

const entriesSchema = z.array(
  z.string().superRefine((entry, context) => {
    const mistake = mistakeOf(entry)
    if (mistake !== undefined) context.addIssue({ code: 'custom', message: mistake })
  }),
)

function mistakeOf(entry: string): string | undefined {
  const plain = plainAddress(entry)
  if (plain === undefined) return 'is no http, https, rtsp, rtsps or file address that can be read'
  if (plain.hasLogin || plain.hasQuery) return 'must not have a login, a query or a fragment'
  if (plain.scheme !== 'file' && !/[^*.]/.test(plain.host)) return 'must name a host, or a part of one beside `*`'
  return undefined
}

/** The real path of a file, where it still lies in an allowed folder. */
async function realFile({ path }: PlainAddress, fitting: readonly PlainAddress[]): Promise<string> {
  const real = await realpath(filePath(path) ?? '').catch((error: unknown) => {
    throw new StreamError('VIDEO_NOT_FOUND', `There is no file at file://${path}.`, { cause: error })
  })
  const folders = await Promise.all(fitting.map((entry) => realpath(filePath(entry.path) ?? '').catch(() => '')))
  if (folders.some((folder) => isBelow(real, folder))) return real
  throw new StreamError('ADDRESS_NOT_ALLOWED', 'A link in an allowed folder leads out of it. Such a file is never read.')
}

function isBelow(path: string, folder: string): boolean {
  return folder !== '' && (path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`))
}

function refusal(address: string, plain: PlainAddress | undefined): StreamError {
  const [scheme] = /^[a-z][a-z0-9+.-]{0,20}:/i.exec(address) ?? ['an address without a scheme']
  const shown = plain === undefined ? `${scheme} in this form` : `${plain.scheme}://${plain.host}${plain.shownPort}`
  const message = `Reading ${shown} is not allowed. If it is to be trusted, put it on the allow list.`
  return new StreamError('ADDRESS_NOT_ALLOWED', message)
}
