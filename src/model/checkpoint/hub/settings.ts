import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

import { z } from 'zod'

import { StreamError } from '../../../errors.js'
import { checkSettings } from '../../../settings.js'

/** How a hub is reached and where its files are kept. What is left out comes from the variables of the hub's own tools. */
export interface HubOptions {
  /** Address of the hub or of a mirror. @default `HF_ENDPOINT`, else https://huggingface.co */
  readonly endpoint?: string
  /**
   * Access token, for private and gated models. Sent to `endpoint` alone, and never shown.
   *
   * @default `HF_TOKEN`, else what `hf auth login` stored (`HF_TOKEN_PATH`, `HF_HOME/token`), else none
   */
  readonly token?: string
  /** Folder shared with the hub's other tools. @default `HF_HUB_CACHE`, else `HF_HOME/hub`, else ~/.cache/huggingface/hub */
  readonly cacheFolder?: string
  /** Only look in the cache. @default whether `HF_HUB_OFFLINE` is set */
  readonly offline?: boolean
  /** How many times in a row a request may fail without one more byte of the file. @default 5 */
  readonly retries?: number
  /** Milliseconds before the first repeat; doubled at each further one up to 16 times as long, jittered. @default 500 */
  readonly retryDelayMs?: number
  /** Milliseconds without one byte from the server after which a request counts as failed. @default 60000 */
  readonly stallTimeLimitMs?: number
}

/** `HubOptions` after the check, all filled in. */
export interface HubSettings {
  readonly endpoint: string
  readonly token: string | undefined
  readonly cacheFolder: string
  readonly offline: boolean
  readonly retries: number
  readonly retryDelayMs: number
  readonly stallTimeLimitMs: number
}

type Environment = Readonly<Record<string, string | undefined>>

const schema = z.strictObject({
  endpoint: z.string().transform((text) => text.replace(/\/+$/, '')).refine(isPlainAddress, {
    error: 'expected an http(s) address without login, query and fragment (HF_ENDPOINT)',
  }),
  token: z.string().trim().regex(/^[\x21-\x7e]+$/, { error: 'expected an access token: visible ASCII only (HF_TOKEN)' }).optional(),
  cacheFolder: z.string().min(1).transform((path) => resolve(withHome(path))),
  offline: z.boolean(),
  retries: z.int().min(0).default(5),
  retryDelayMs: z.number().min(0).max(60_000).default(500),
  stallTimeLimitMs: z.number().positive().max(2 ** 31 - 1).default(60_000),
})

/**
 * Checks options and fills them in from the environment.
 *
 * @throws {StreamError} `SETTING_INVALID`; no value is shown.
 */
export async function hubSettings(options: HubOptions, environment: Environment = process.env): Promise<HubSettings> {
  const checked = checkSettings('pull', schema, {
    ...options,
    endpoint: options.endpoint ?? given(environment.HF_ENDPOINT) ?? 'https://huggingface.co',
    token: options.token ?? (await tokenOf(environment)),
    cacheFolder: options.cacheFolder ?? cacheFolderOf(environment),
    offline: options.offline ?? /^(?:1|on|yes|true)$/i.test(environment.HF_HUB_OFFLINE ?? ''),
  })
  return { ...checked, token: checked.token }
}

/** A variable that is set to nothing is not set. */
function given(value: string | undefined): string | undefined {
  return value?.trim() === '' ? undefined : value
}

/** `HF_HOME` as the hub's Python client finds it. */
function homeOf({ HF_HOME: home, XDG_CACHE_HOME: caches }: Environment): string {
  return withHome(given(home) ?? join(given(caches) ?? join(homedir(), '.cache'), 'huggingface'))
}

function cacheFolderOf(environment: Environment): string {
  return given(environment.HF_HUB_CACHE) ?? given(environment.HUGGINGFACE_HUB_CACHE) ?? join(homeOf(environment), 'hub')
}

async function tokenOf(environment: Environment): Promise<string | undefined> {
  const named = given(environment.HF_TOKEN) ?? given(environment.HUGGING_FACE_HUB_TOKEN)
  if (named !== undefined) return named
  const path = withHome(given(environment.HF_TOKEN_PATH) ?? join(homeOf(environment), 'token'))
  const stored = await readFile(path, 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StreamError('SETTING_INVALID', `The token file ${path} can't be read. Make it readable, or set HF_TOKEN.`, { cause })
  })
  return given(stored)
}

/** `~` means the user's home; where no shell has read the variable, it is still there. */
function withHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir())
}

function isPlainAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '')
}
