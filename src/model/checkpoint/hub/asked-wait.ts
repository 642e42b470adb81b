/** A server that failed and said when to ask again: the cause of the error that a request ends with. */
export class AskedToWait extends Error {
  readonly status: number
  readonly waitMs: number

  constructor(status: number, waitMs: number) {
    super(`the server answered ${status} and asks to wait ${waitMs} ms`)
    this.status = status
    this.waitMs = waitMs
  }
}

/**
 * How many milliseconds a server asks to be left alone; undefined where it doesn't say.
 *
 * `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). The Hugging Face hub itself says it in the field of the
 * draft on rate limits instead, `RateLimit: "api";r=0;t=55`, which all its answers have: it counts where a limit was met.
 *
 * @param nowMs Time of the answer, in milliseconds since 1970.
 */
export function waitAskedBy({ status, headers }: Pick<Response, 'status' | 'headers'>, nowMs: number): number | undefined {
  const after = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(after)) return Number(after) * 1000
  const date = Date.parse(after)
  if (!Number.isNaN(date)) return Math.max(0, date - nowMs)
  const reset = status === 429 ? /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] : undefined
  return reset === undefined ? undefined : Number(reset) * 1000
}
