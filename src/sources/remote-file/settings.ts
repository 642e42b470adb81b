import { validateHeaderName, validateHeaderValue } from 'node:http'
import { tmpdir } from 'node:os'

import { z } from 'zod'

import type { AllowList } from '../allow-list.js'

/** How the file behind an address is fetched. */
export interface DownloadOptions {
  /**
   * Most bytes of a file. A file that announces more isn't begun, one that turns out to have more is given up.
   *
   * @default 4294967296 (4 GiB)
   */
  readonly maxBytes?: number
  /**
   * Milliseconds that the whole download may take, repeats included.
   *
   * @default 3600000 (an hour)
   */
  readonly timeLimitMs?: number
  /**
   * Milliseconds without one byte from the server after which the connection counts as broken.
   *
   * @default 30000
   */
  readonly stallTimeLimitMs?: number
  /**
   * How many times in a row a connection may break or the server fail (5xx, 429, 408) without one more byte
   * of the file. The download goes on where it broke off if the server can and the file is still the same.
   *
   * @default 5
   */
  readonly retries?: number
  /**
   * Milliseconds to wait before the first repeat; doubled at each further one up to 16 times as long, jittered.
   *
   * @default 500
   */
  readonly retryDelayMs?: number
  /**
   * Headers sent along, such as `{ authorization: … }` with a token from the environment; a redirect to
   * another host doesn't get them. Never shown.
   *
   * @default none
   */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Where the file may come from. The address and each redirect are checked.
   *
   * @default from anywhere: whoever writes the address trusts it
   */
  readonly allow?: AllowList
  /**
   * Folder for the temporary file; needs room for the whole video.
   *
   * @default the system's folder for temporary files (`TMPDIR`)
   */
  readonly folder?: string
}

/** Headers that the download itself decides on. */
const OWN_HEADERS = /^(?:host|connection|content-length|transfer-encoding|accept-encoding|range|if-range)$/i

const headersSchema = z.record(z.string(), z.string()).superRefine((headers, context) => {
  for (const [name, value] of Object.entries(headers)) {
    const refuse = (message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message })
    }
    if (!isHeader(name, value)) refuse('is no header that can be sent')
    if (OWN_HEADERS.test(name)) refuse('is set by the download itself')
  }
})

const milliseconds = z.number().positive().max(2 ** 31 - 1)

/** `DownloadOptions`. */
export const downloadSchema = z.strictObject({
  maxBytes: z.int().min(1).default(4 * 2 ** 30),
  timeLimitMs: milliseconds.default(3_600_000),
  stallTimeLimitMs: milliseconds.default(30_000),
  retries: z.int().min(0).default(5),
  retryDelayMs: z.number().min(0).max(60_000).default(500),
  headers: headersSchema.default({}),
  allow: z.custom<AllowList>(isAllowList, 'expected what `allowList(…)` makes').optional(),
  folder: z.string().min(1).default(tmpdir),
})

/** `DownloadOptions` after the check, defaults filled in. */
export interface Download extends z.infer<typeof downloadSchema> {
  /** What `maxBytes` may be raised to where the file's kind sets an end: no setting, but told where it isn't enough. */
  readonly mostBytes?: number
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

function isAllowList(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'check' in value && typeof value.check === 'function'
}
