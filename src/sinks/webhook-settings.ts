import { z } from 'zod'

import { StreamError } from '../errors.js'
import type { Result } from '../envelope.js'
import { checkSettings } from '../settings.js'
import { LONGEST_WAIT_MS } from './webhook-time.js'

/** How `webhook` sends. Times are in milliseconds. */
export interface WebhookOptions {
  /** More headers, e.g. `authorization`. They are never logged. @default none */
  readonly headers?: Readonly<Record<string, string>>
  /** Signs every request. @default unsigned */
  readonly secret?: string
  /** Name of the environment variable that holds the secret. @default unsigned */
  readonly secretEnv?: string
  /** Kinds of results that are sent; the others are passed over. @default all */
  readonly kinds?: readonly Result['kind'][]
  /** How long one request may take. @default 10_000 */
  readonly timeLimitMs?: number
  readonly retry?: {
    /** Wait after a first failure; doubles with each that follows, less up to half by chance. @default 500 */
    readonly minDelayMs?: number
    /** @default 30_000 */
    readonly maxDelayMs?: number
    /** Most that a `Retry-After` of the other end is obeyed. @default 300_000 */
    readonly maxRetryAfterMs?: number
    /**
     * Answers other than success after which a result counts as refused. Requests without an answer aren't held
     * against it.
     *
     * @default no limit
     */
    readonly maxAttempts?: number
  }
  readonly circuit?: {
    /** Failures in a row that open the circuit. @default 5 */
    readonly failuresToOpen?: number
    /** While it is open: wait between two tries. @default 30_000 */
    readonly probeEveryMs?: number
  }
  /** Keeps results on disk while the circuit is open. @default none: the pipeline waits */
  readonly spill?: {
    /**
     * Folder for this sink alone; made if it isn't there. Where another process has it, also one on another machine
     * or in another container that shares it, `open` fails with `SINK_FAILED`. After a crash it is free at once on the
     * same machine (host name), and within 60 seconds on another; their clocks have to agree within 30 seconds.
     */
    readonly folder: string
    /** Most bytes of results on disk; then the pipeline waits. @default 268_435_456 (256 MiB) */
    readonly maxBytes?: number
  }
  /** How long `close` goes on sending what is left. @default 10_000 */
  readonly closeLimitMs?: number
}

/** Headers that are the sink's own. */
const OWN_HEADERS = 'content-type content-length idempotency-key x-tinyllava-signature x-tinyllava-timestamp'.split(' ')

const waitMs = z.number().min(0).max(LONGEST_WAIT_MS)
const count = z.int().min(1)

const optionsSchema = z
  .strictObject({
    headers: z
      .record(z.string(), z.string())
      .superRefine((headers, context) => {
        for (const [name, value] of Object.entries(headers)) {
          const mistake = headerMistake(name, value)
          if (mistake !== undefined) context.addIssue({ code: 'custom', path: [name], message: mistake })
        }
      })
      .default({}),
    secret: z.string().min(1).optional(),
    secretEnv: z.string().min(1).optional(),
    kinds: z.array(z.enum(['answer', 'error', 'alert'])).min(1).default(['answer', 'error', 'alert']),
    timeLimitMs: waitMs.min(1).default(10_000),
    retry: z
      .strictObject({
        minDelayMs: waitMs.default(500),
        maxDelayMs: waitMs.default(30_000),
        maxRetryAfterMs: waitMs.default(300_000),
        maxAttempts: count.optional(),
      })
      .prefault({}),
    circuit: z.strictObject({ failuresToOpen: count.default(5), probeEveryMs: waitMs.default(30_000) }).prefault({}),
    spill: z.strictObject({ folder: z.string().trim().min(1), maxBytes: count.default(256 * 2 ** 20) }).optional(),
    closeLimitMs: waitMs.default(10_000),
  })
  .refine(({ secret, secretEnv }) => secret === undefined || secretEnv === undefined, {
    path: ['secretEnv'],
    message: 'Expected `secret` or `secretEnv`, not both',
  })

/** Checked settings, with every default. */
export interface WebhookSettings extends Omit<z.infer<typeof optionsSchema>, 'secretEnv' | 'secret'> {
  /** Without a login: that is a header. */
  readonly url: string
  /** The address as it may be shown: paths and queries of webhooks often are secrets. */
  readonly shownUrl: string
  readonly secret: string | undefined
}

/** Checks everything at once, and reads the secret from the environment. */
export function resolveWebhook(url: string, options: WebhookOptions): WebhookSettings {
  const { secret, secretEnv, ...settings } = checkSettings('webhook', optionsSchema, options)
  const address = parseAddress(url)
  const login = loginOf(address)
  address.username = ''
  address.password = ''
  return {
    ...settings,
    url: address.href,
    shownUrl: address.origin,
    headers: { ...(login !== undefined && { authorization: login }), ...settings.headers },
    secret: secretEnv === undefined ? secret : fromEnvironment(secretEnv),
  }
}

function parseAddress(url: unknown): URL {
  const address = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (address !== undefined && /^https?:$/.test(address.protocol)) return address
  const message = 'webhook: Expected an http or https address, e.g. https://example.com/answers.'
  throw new StreamError('SETTING_INVALID', message)
}

function loginOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const login = Buffer.from(`${percentDecoded(username)}:${percentDecoded(password)}`)
  return `Basic ${login.toString('base64')}`
}

function fromEnvironment(name: string): string {
  const value = process.env[name]
  if (value !== undefined && value !== '') return value
  throw new StreamError('SETTING_INVALID', `webhook: The environment variable ${name} (\`secretEnv\`) is not set.`)
}

/** A stray percent sign stands for itself. */
function percentDecoded(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (encoded) => Buffer.from(encoded.replaceAll('%', ''), 'hex').toString())
}

/** The mistake in words that don't show the value. */
function headerMistake(name: string, value: string): string | undefined {
  if (OWN_HEADERS.includes(name.toLowerCase())) return 'The sink sets this header itself'
  try {
    new Headers({ [name]: value })
    return undefined
  } catch {
    return 'Expected the name and the value of an HTTP header'
  }
}
