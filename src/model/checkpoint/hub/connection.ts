import { setTimeout as delay } from 'node:timers/promises'

import { StreamError, abortError } from '../../../errors.js'
import { packageVersion } from '../../../version.js'
import { AskedToWait } from './asked-wait.js'
import { type HubTarget, reasonOf, refusal, unreachable } from './hub-errors.js'
import { type Repository, shownRepository } from './repository.js'
import type { HubSettings } from './settings.js'

/** A pause that a server asked for. */
export interface HubWait {
  /** What it answered, e.g. 429: too many requests. */
  readonly status: number
  /** Milliseconds until it is asked again. */
  readonly waitMs: number
}

// As long as the hub counts requests for. A server that is away for longer had better be asked by a later call.
const LONGEST_WAIT_MS = 300_000

/** Everything requests for one repository have in common. */
export interface HubConnection extends HubTarget {
  readonly repository: Repository
  readonly settings: HubSettings
  readonly signal: AbortSignal | undefined
  readonly onWait?: ((wait: HubWait) => void) | undefined
}

/** An answer whose bytes are still on their way. */
export interface HubBody {
  readonly response: Response
  /** The bytes as they come. @throws {StreamError} `HUB_UNREACHABLE`, `ABORTED`. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * `fetch` for what a hub says of a repository: handed to the client library, which adds neither time limit nor retries
 * of its own and can't read the hub's error codes.
 */
export function metadataFetch(hub: HubConnection): typeof fetch {
  return (input, init) =>
    repeatUnreachable(hub, async () => {
      const { response, bytes } = await request(hub, new Request(input, init))
      const body = await gather(bytes)
      return new Response(body, { status: response.status, headers: response.headers })
    })
}

/**
 * Asks the hub, and follows redirects to where it keeps large files. The token goes to the hub's own origin only.
 *
 * @throws {StreamError} `HUB_*`, `ABORTED`.
 */
export async function request(hub: HubConnection, asked: Request): Promise<HubBody> {
  const { settings: { stallTimeLimitMs }, signal } = hub
  const stall = new AbortController()
  const timer = setTimeout(() => {
    stall.abort(new Error(`nothing came from the server for ${stallTimeLimitMs} ms`))
  }, stallTimeLimitMs).unref()
  try {
    const signals = signal === undefined ? stall.signal : AbortSignal.any([signal, stall.signal])
    // A redirect to another origin loses the token: the rules of `fetch` have it so.
    const response = await fetch(asked, { headers: headersOf(hub, asked), signal: signals })
    if (!response.ok) {
      await response.body?.cancel()
      throw refusal(response, hub)
    }
    return { response, bytes: watched(hub, response, timer) }
  } catch (error) {
    clearTimeout(timer)
    throw connectionError(hub, error)
  }
}

/**
 * Repeats what the hub couldn't be reached for: not before the time it asks for, and not at all where that is far away.
 *
 * @param progress What has been achieved so far, in bytes; any progress starts the count of failures anew.
 */
export async function repeatUnreachable<Result>(
  hub: HubConnection,
  attempt: () => Promise<Result>,
  progress: () => number = () => 0,
): Promise<Result> {
  for (let failures = 0; ; ) {
    const before = progress()
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof StreamError) || error.code !== 'HUB_UNREACHABLE') throw error
      failures = progress() > before ? 1 : failures + 1
      const asked = error.cause instanceof AskedToWait ? error.cause : undefined
      if (failures > hub.settings.retries || (asked?.waitMs ?? 0) > LONGEST_WAIT_MS) throw error
      await pause(hub, failures, asked)
    }
  }
}

/** Waits longer after each failure, and at least as long as it was asked to. */
async function pause(hub: HubConnection, failures: number, asked: AskedToWait | undefined): Promise<void> {
  const { settings: { retryDelayMs }, signal, repository, onWait } = hub
  const jitter = 0.5 + Math.random() / 2
  const waitMs = (asked?.waitMs ?? 0) + retryDelayMs * Math.min(16, 2 ** (failures - 1)) * jitter
  if (asked !== undefined) onWait?.({ status: asked.status, waitMs })
  await delay(waitMs, undefined, signal && { signal }).catch(() => {
    throw pullAborted(repository, signal)
  })
}

/** The error of a pull that its caller stopped. */
export function pullAborted(repository: Repository, signal: AbortSignal | undefined): StreamError {
  return abortError(`Pulling ${shownRepository(repository)}`, signal?.reason)
}

async function* watched(hub: HubConnection, { body }: Response, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of body ?? []) {
      timer.refresh()
      yield bytes
    }
  } catch (error) {
    throw connectionError(hub, error)
  } finally {
    clearTimeout(timer)
  }
}

function headersOf({ settings: { endpoint, token } }: HubConnection, { url, headers }: Request): Headers {
  const all = new Headers(headers)
  all.set('user-agent', `tinyllava-stream/${packageVersion()}`)
  // Bytes are counted and continued by their number, so they must come as they lie there.
  all.set('accept-encoding', 'identity')
  // A list's next page is where the server says it is.
  if (token !== undefined && new URL(url).origin === new URL(endpoint).origin) all.set('authorization', `Bearer ${token}`)
  return all
}

async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Everything that isn't coded yet is a connection that broke. */
function connectionError(hub: HubConnection, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  if (hub.signal?.aborted === true) return pullAborted(hub.repository, hub.signal)
  return unreachable(hub, reasonOf(error), error)
}
