import { StreamError } from '../../errors.js'
import { redactAddress } from '../redact.js'

/** How to log in, where the address doesn't say it. */
export interface RtspLogin {
  readonly user?: string | undefined
  readonly password?: string | undefined
}

/** A camera's address, taken apart. */
export interface RtspAddress {
  /** The whole address, login and query included: for the camera alone. */
  readonly full: string
  /** The address without login and query: for everybody else. */
  readonly shown: string
  /** Whether `full` holds more than `shown`: a login or a query, which may be a token. */
  readonly isSecret: boolean
  /** Host and path, e.g. `10.0.0.7/live`: what a stream is called unless told otherwise. */
  readonly name: string
  /** Whether the connection is encrypted (`rtsps:`). */
  readonly isEncrypted: boolean
}

/**
 * Takes a camera's address apart.
 *
 * A password in it may hold `/` or `@`, as many cameras' do; one that makes the address read differently must be
 * percent-encoded.
 *
 * @throws {StreamError} `SETTING_INVALID`: it is no rtsp address, or has a login although one is given beside it.
 * No message holds the login.
 */
export function readRtspAddress(address: unknown, login: RtspLogin = {}): RtspAddress {
  const text = address instanceof URL ? address.href : address
  const url = typeof text === 'string' ? parse(text.trim()) : undefined
  if (url === undefined) throw new StreamError('SETTING_INVALID', `rtsp: ${complaint(text)}`)
  if (login.user !== undefined || login.password !== undefined) setLogin(url, login)
  url.hash = ''
  const full = url.href
  const shown = `${url.protocol}//${url.host}${url.pathname}`
  const name = `${url.host}${url.pathname}`.replace(/\/+$/, '')
  return { full, shown, name, isSecret: full !== shown, isEncrypted: url.protocol === 'rtsps:' }
}

function parse(text: string): URL | undefined {
  const [, scheme, login, rest] = /^(rtsps?:\/\/)(?:(.*)@)?(.+)$/is.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return undefined
  const asWritten = URL.canParse(text) ? new URL(text) : undefined
  if (asWritten !== undefined) return asWritten.hostname === '' ? undefined : asWritten
  // A password with a `/`: all up to the last `@` is the login.
  if (login === undefined || !URL.canParse(scheme + rest)) return undefined
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(login) ?? []
  const url = new URL(scheme + rest)
  setLogin(url, { user, password })
  return url
}

function setLogin(url: URL, { user = '', password = '' }: RtspLogin): void {
  if (url.username !== '' || url.password !== '') {
    throw new StreamError('SETTING_INVALID', 'rtsp: a login stands in the address and beside it. Give it once.')
  }
  url.username = encodeURIComponent(user)
  url.password = encodeURIComponent(password)
}

function complaint(text: unknown): string {
  if (typeof text !== 'string') return `expected an address such as rtsp://camera/live, got ${typeof text}.`
  const isCamera = /^\s*rtsps?:/i.test(text)
  if (isCamera) return `${redactAddress(text.trim())} can't be read. Check its host and port; percent-encode the login.`
  return 'expected an address that begins with rtsp:// or rtsps://. For a video file use `file(…)`.'
}
