import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

import { StreamError } from '../../errors.js'
import type { AllowList } from '../allow-list.js'
import { shownAddress, splitLogin } from './address.js'

/** Redirects that are followed, one after the other. */
const MAX_REDIRECTS = 5
const REDIRECTS = [301, 302, 303, 307, 308]

/** A request for a file, or for its rest. */
export interface RemoteRequest {
  /** Sent to the host of the address only. */
  readonly privateHeaders: Readonly<Record<string, string>>
  /** Sent to whichever host it redirects to. */
  readonly headers: Readonly<Record<string, string>>
  readonly stallTimeLimitMs: number
  readonly allow: AllowList | undefined
  readonly signal: AbortSignal
}

/**
 * Asks for a file and follows redirects, each after a check of where it leads.
 *
 * The login of the address and private headers go to its own origin only, those of a redirect are not sent,
 * and no redirect leads from https to http.
 *
 * @returns The first response that isn't a redirect; its body has to be read or destroyed.
 * @throws {StreamError} `ADDRESS_NOT_ALLOWED`, `VIDEO_UNREADABLE` (too many redirects, or one to nowhere; a
 * certificate that isn't trusted). Any other error is a broken connection.
 */
export async function requestFile(address: URL, request: RemoteRequest): Promise<IncomingMessage> {
  const { url: first, authorization } = splitLogin(address)
  const login = authorization === undefined ? {} : { authorization }
  let url = first
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    await request.allow?.check(url.href)
    const own = url.origin === first.origin ? { ...login, ...request.privateHeaders } : {}
    const response = await get(url, { ...request, headers: { ...own, ...request.headers } })
    if (!isRedirect(response)) return response
    response.destroy()
    url = redirectTarget(url, response.headers.location)
  }
  throw new StreamError(
    'VIDEO_UNREADABLE',
    `${shownAddress(first)} redirects more than ${MAX_REDIRECTS} times. Name the address it should lead to.`,
  )
}

function isRedirect({ statusCode, headers }: IncomingMessage): boolean {
  return REDIRECTS.includes(statusCode ?? 0) && headers.location !== undefined
}

function redirectTarget(from: URL, location = ''): URL {
  if (!URL.canParse(location, from.href)) {
    throw new StreamError('VIDEO_UNREADABLE', `${shownAddress(from)} redirects to no address that can be read.`)
  }
  const { url } = splitLogin(new URL(location, from))
  const isDowngrade = from.protocol === 'https:' && url.protocol === 'http:'
  if (isDowngrade || !/^https?:$/.test(url.protocol)) {
    const message = `${shownAddress(from)} redirects to ${url.protocol}//${url.host}, which is never followed from there.`
    throw new StreamError('ADDRESS_NOT_ALLOWED', message)
  }
  return url
}

function get(url: URL, { headers, stallTimeLimitMs, signal }: Omit<RemoteRequest, 'allow'>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    // Bytes are counted and continued by their number, so they must come as they lie there.
    const own = { 'accept-encoding': 'identity', accept: '*/*' }
    const request = send(url, { headers: { ...own, ...headers }, signal, timeout: stallTimeLimitMs })
    let response: IncomingMessage | undefined
    request.on('timeout', () => {
      const stalled = new Error(`nothing came from the server for ${stallTimeLimitMs} ms`)
      if (response === undefined) request.destroy(stalled)
      else response.destroy(stalled)
    })
    request.on('error', (error) => {
      reject(certificateError(url, error) ?? error)
    })
    request.on('response', (begun) => {
      response = begun
      resolve(begun)
    })
    request.end()
  })
}

const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY|DECRYPT)_)/

/** A certificate won't become a trusted one by asking again. */
function certificateError(url: URL, error: unknown): StreamError | undefined {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (!CERTIFICATE.test(code)) return undefined
  const message = `The certificate of ${url.host} isn't trusted (${code}). Set NODE_EXTRA_CA_CERTS to that of its issuer.`
  return new StreamError('VIDEO_UNREADABLE', message, { cause: error })
}
