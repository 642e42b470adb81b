import { createHash, timingSafeEqual } from 'node:crypto'

import { StreamError } from '../../errors.js'
import { isLoopbackHost } from './loopback.js'

/** What is looked at of a request before anything else. */
export interface GuardedRequest {
  readonly method: string
  /** The route's path; undefined where there is none. */
  readonly route: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** For those who only ask whether the process lives: they hold no token, and are told nothing else. */
const OPEN_ROUTES: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz'])

/**
 * Makes the check that every request passes first. Pages of other sites must not get in by way of a browser
 * that runs on this machine:
 *
 * - with a token, only who knows it gets in; it is compared in constant time.
 * - without one, `Host` must name this machine, which a page behind a rebound name doesn't.
 * - POST must say `application/json`: a browser asks before it sends that, or a DELETE, to another site, and
 *   there is no route that would allow it.
 *
 * @returns throws `HTTP_UNAUTHORIZED`, `HTTP_FORBIDDEN` or `HTTP_MEDIA_TYPE`.
 */
export function createGuard(token: string | undefined): (request: GuardedRequest) => void {
  const expected = token === undefined ? undefined : digest(`Bearer ${token}`)
  return ({ method, route, headers }) => {
    if (expected === undefined) expectLoopbackHost(headers.host)
    else if (!OPEN_ROUTES.has(route)) expectToken(headers.authorization, expected)
    if (method === 'POST') expectJson(headers['content-type'])
  }
}

function expectLoopbackHost(host: GuardedRequest['headers'][string]): void {
  if (isLoopbackHost(String(host))) return
  const message = 'Without a token the service only answers to the names of its own machine, e.g. 127.0.0.1.'
  throw new StreamError('HTTP_FORBIDDEN', message)
}

function expectToken(authorization: GuardedRequest['headers'][string], expected: Buffer): void {
  // Digests are of one length, so that nothing is learnt from the token's.
  if (timingSafeEqual(digest(String(authorization)), expected)) return
  throw new StreamError('HTTP_UNAUTHORIZED', 'Send the service’s token: `Authorization: Bearer …`.')
}

function expectJson(contentType: GuardedRequest['headers'][string]): void {
  if (/^application\/json\s*(;|$)/i.test(String(contentType))) return
  throw new StreamError('HTTP_MEDIA_TYPE', 'Send `Content-Type: application/json`, also without a body.')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
