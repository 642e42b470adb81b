import { createHmac } from 'node:crypto'

import type { WebhookSettings } from './webhook-settings.js'
import { withTimeLimit } from './webhook-time.js'
import type { SinkTime } from './webhook-time.js'

/** One result, ready to be sent. */
export interface Letter {
  readonly id: string
  /** The result as JSON. */
  readonly body: string
}

/** What became of one request. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** The same request would be refused again. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may work later. */
  | {
      readonly kind: 'failed'
      readonly reason: string
      /** Whether the other end answered at all. */
      readonly isAnswered: boolean
      readonly retryAfterMs?: number
    }

/** Answers below 500 that say "later". */
const LATER: ReadonlySet<number> = new Set([408, 425, 429])

/** Sends one result once. Never rejects. */
export async function post(
  { id, body }: Letter,
  { url, headers, secret, timeLimitMs }: WebhookSettings,
  { time, stop }: { readonly time: SinkTime; readonly stop: AbortSignal },
): Promise<Outcome> {
  const abort = new AbortController()
  const abortRequest = (): void => {
    abort.abort()
  }
  const own = { 'content-type': 'application/json', 'idempotency-key': id, ...signatureOf(body, secret, time.now()) }
  // Not AbortSignal.any: Node 20 keeps something of each request as long as `stop` lives, which is weeks.
  stop.addEventListener('abort', abortRequest)
  try {
    if (stop.aborted) abortRequest()
    return await withTimeLimit({ time, ms: timeLimitMs }, abortRequest, async () => {
      const init = { method: 'POST', body, redirect: 'manual', signal: abort.signal } as const
      const response = await fetch(url, { ...init, headers: { ...headers, ...own } })
      // Nobody reads it, and it may be endless.
      await response.body?.cancel()
      return outcomeOf(response, time.now())
    })
  } catch (error) {
    const reason = abort.signal.aborted ? `no answer within ${timeLimitMs} ms` : reasonOf(error)
    return { kind: 'failed', reason, isAnswered: false }
  } finally {
    stop.removeEventListener('abort', abortRequest)
  }
}

/** Headers that prove who sent the body, and when. */
function signatureOf(body: string, secret: string | undefined, nowMs: number): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000))
  if (secret === undefined) return { 'x-tinyllava-timestamp': timestamp }
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return { 'x-tinyllava-timestamp': timestamp, 'x-tinyllava-signature': `sha256=${signature}` }
}

function outcomeOf({ status, headers }: Response, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `it answered ${status}`
  // A redirect isn't followed: whoever can set one could have the results sent anywhere.
  if (status < 500 && !LATER.has(status)) return { kind: 'refused', reason }
  const retryAfterMs = readRetryAfter(headers.get('retry-after'), nowMs)
  return { kind: 'failed', reason, isAnswered: true, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** Seconds, or a date of HTTP; undefined for anything else. */
export function readRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const text = value.trim()
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs)
}

/** The code alone: messages of the network may hold the whole address. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return cause instanceof Error ? cause.name : 'the request failed'
}
