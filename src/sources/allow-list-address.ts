import { fileURLToPath } from 'node:url'

/** An address taken apart, as whoever reads it will: two forms of one address give the same. */
export interface PlainAddress {
  readonly scheme: 'http' | 'https' | 'rtsp' | 'rtsps' | 'file'
  /** In lower case, without a trailing dot; empty of a file. */
  readonly host: string
  readonly port: number
  /** `:8080` where the port isn't the scheme's own. */
  readonly shownPort: string
  /** Begins with `/`; without dot segments; percent-encoded as it came. */
  readonly path: string
  readonly hasLogin: boolean
  readonly hasQuery: boolean
}

const DEFAULT_PORTS = { http: 80, https: 443, rtsp: 554, rtsps: 322, file: 0 } as const

/**
 *     rtsp :// admin:secret@ camera.local :554 /live ?token=1
 *     scheme   login         host          port path  query
 *
 * The authority ends at the first `/`, `?` or `#`, the login at its last `@`: as WHATWG and ffmpeg do it.
 */
const ADDRESS = /^(https?|rtsps?|file):\/\/([^/?#]*@)?(\[[0-9a-f:.]+\]|[^/?#@:[\]]*)(?::(\d{1,5}))?(\/[^?#]*)?([?#].*)?$/i

/** Characters that readers of addresses take for others, or leave out. */
const DISGUISE = /[\s\p{Cc}\p{Cf}\\]/u

/** Takes an address apart; undefined where it isn't one that can be trusted to mean the same to everybody. */
export function plainAddress(address: string): PlainAddress | undefined {
  const match = DISGUISE.test(address) ? null : ADDRESS.exec(address)
  if (match === null) return undefined
  const [, givenScheme = '', login, givenHost = '', givenPort, path = '/', query] = match
  const scheme = givenScheme.toLowerCase() as PlainAddress['scheme']
  const host = plainHost(givenHost)
  if (host === undefined || (scheme === 'file') !== (host === '') || !isPlainPath(path)) return undefined
  if (scheme === 'file' && ((login ?? givenPort ?? query) !== undefined || filePath(path) === undefined)) return undefined
  const port = givenPort === undefined ? DEFAULT_PORTS[scheme] : Number(givenPort)
  return {
    ...{ scheme, host, port, path, hasLogin: login !== undefined, hasQuery: query !== undefined },
    shownPort: port === DEFAULT_PORTS[scheme] ? '' : `:${port}`,
  }
}

/** The path of a `file` address in the file system's own form; undefined where there can't be such a file. */
export function filePath(path: string): string | undefined {
  try {
    return fileURLToPath(`file://${path}`)
  } catch {
    return undefined
  }
}

/** Whether an address lies within what an entry names. */
export function isWithin(address: PlainAddress, entry: PlainAddress): boolean {
  const isSamePlace = address.scheme === entry.scheme && address.port === entry.port && hostFits(address.host, entry.host)
  if (!isSamePlace) return false
  const folder = entry.path.endsWith('/') ? entry.path : `${entry.path}/`
  return address.path === entry.path || address.path.startsWith(folder)
}

/** A `*` in the pattern stands for one character or more of one part of the name. */
function hostFits(host: string, pattern: string): boolean {
  const labels = host.split('.')
  const patterns = pattern.split('.')
  return labels.length === patterns.length && patterns.every((part, place) => labelFits(labels[place] ?? '', part))
}

function labelFits(label: string, pattern: string): boolean {
  const [start = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return label === pattern
  // Each piece at its first place behind the one before; the last at the end.
  const end = rest.pop() ?? ''
  let place = start.length + 1
  for (const piece of rest) {
    const found = label.indexOf(piece, place)
    if (found < 0) return false
    place = found + piece.length + 1
  }
  return label.startsWith(start) && label.endsWith(end) && label.length >= place + end.length
}

/** The host as URL parsers see it; undefined where they would have to make another one of it. */
function plainHost(host: string): string | undefined {
  const lower = host.toLowerCase().replace(/\.$/, '')
  if (lower === '') return host === '' ? '' : undefined
  // `0x7f.1`, `%6c`, `ｅｘａｍｐｌｅ`: readers differ in what they make of these.
  if (!/^(?:[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*|\[[0-9a-f:.]+\])$/.test(lower)) return undefined
  if (!URL.canParse(`http://${lower}/`)) return undefined
  const { hostname } = new URL(`http://${lower}/`)
  return hostname === lower || lower.startsWith('[') ? hostname : undefined
}

/** Whether a path leads where it says, however often somebody takes its percent-encoding off. */
function isPlainPath(path: string): boolean {
  let decoded = path
  for (let before = ''; before !== decoded; ) {
    before = decoded
    decoded = before.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
  const hasDots = decoded.split(/[/\\]/).some((part) => part === '.' || part === '..')
  return !hasDots && !path.startsWith('//') && !Array.from(decoded).some((character) => character < ' ')
}
