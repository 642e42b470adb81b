import { setTimeout as delay } from 'node:timers/promises'

import { StreamError, abortError } from '../../../errors.js'
import { packageVersion } from '../../../version.js'
import { type HubTarget, reasonOf, refusal, unreachable } from './hub-errors.js'
import { type Repository, shownRepository } from './repository.js'
import type { HubSettings } from './settings.js'

/** Everything requests for one repository have in common. */
export interface HubConnection extends HubTarget {
  readonly repository: Repository
  readonly settings: HubSettings
  readonly signal: AbortSignal | undefined
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
 * Repeats what the hub couldn't be reached for.
 *
 * @param progress What has been achieved so far, in bytes; any progress starts the count of failures anew.
 */
export async function repeatUnreachable<Result>(
  { settings: { retries, retryDelayMs }, signal, repository }: HubConnection,
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
      if (failures > retries) throw error
      const jitter = 0.5 + Math.random() / 2
      await delay(retryDelayMs * Math.min(16, 2 ** (failures - 1)) * jitter, undefined, signal && { signal }).catch(() => {
        throw pullAborted(repository, signal)
      })
    }
  }
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
