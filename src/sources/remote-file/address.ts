import { posix } from 'node:path'

import { StreamError } from '../../errors.js'
import { redactAddress } from '../redact.js'

/**
 * The address as an http(s) one; undefined where it is anything else.
 *
 * @throws {StreamError} `SETTING_INVALID`: it begins like one and can't be read.
 */
export function httpAddress(address: unknown): URL | undefined {
  const text = address instanceof URL ? address.href : address
  if (typeof text !== 'string' || !/^\s*https?:\/\//i.test(text)) return undefined
  if (URL.canParse(text)) return new URL(text)
  const message = `${redactAddress(text)} is no address that can be read. Check its host and port.`
  throw new StreamError('SETTING_INVALID', message)
}

/** The name of the file behind an address: the last part of its path; of an address without one the host. */
export function remoteFileName({ pathname, hostname }: URL): string {
  const name = posix.basename(pathname)
  return (name === '' ? hostname : decoded(name)).replace(/[/\\\p{Cc}]/gu, '_')
}

/** The address fit to be shown: without login, query and fragment. */
export function shownAddress({ protocol, host, pathname, search }: URL): string {
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?***'}`
}

/** The address without its login, and the header that carries the login instead. */
export function splitLogin(address: URL): { readonly url: URL; readonly authorization: string | undefined } {
  const url = new URL(address)
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return { url, authorization: undefined }
  const login = Buffer.from(`${decoded(username)}:${decoded(password)}`, 'utf8').toString('base64')
  return { url, authorization: `Basic ${login}` }
}

/** The text with its percent-encoding taken off; as it is where that is malformed. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
