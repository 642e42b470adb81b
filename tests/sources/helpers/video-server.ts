import { type IncomingHttpHeaders, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, beforeEach } from 'vitest'

/** A request that came in. */
export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** How a request is answered. */
export type Handler = (response: ServerResponse, request: SeenRequest) => void

/**
 * A real web server on a free port for the tests of one file. Each path is answered by its handlers in turn, the
 * last one for ever; another path is 404.
 */
export class VideoServer {
  requests: SeenRequest[] = []
  readonly #handlers = new Map<string, Handler[]>()
  readonly #server: Server
  readonly #scheme: string

  constructor(tls?: { key: string; cert: string }) {
    const listener: RequestListener = (request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://server')
      this.requests.push({ path: request.url ?? '', headers: request.headers })
      const handlers = this.#handlers.get(pathname) ?? [status(404)]
      const handler = handlers.length > 1 ? handlers.shift() : handlers[0]
      handler?.(response, { path: pathname, headers: request.headers })
    }
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
    this.#scheme = tls === undefined ? 'http' : 'https'
    beforeAll(() => new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve)))
    beforeEach(() => {
      this.requests = []
      this.#handlers.clear()
    })
    afterAll(() => {
      this.#server.closeAllConnections()
      this.#server.close()
    })
  }

  /** Answers a path from now on; returns its address. */
  on(path: string, ...handlers: readonly Handler[]): string {
    this.#handlers.set(path, [...handlers])
    return this.address(path)
  }

  address(path: string, login = ''): string {
    const { port } = this.#server.address() as AddressInfo
    return `${this.#scheme}://${login}127.0.0.1:${port}${path}`
  }
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Handler {
  return (response) => {
    response.writeHead(code, headers).end()
  }
}

export function redirect(to: string, code = 302): Handler {
  return status(code, { location: to })
}

/** What a good server does: sends the file, or the asked for rest of it where it is still the same. */
export function serve(bytes: Uint8Array, { etag = '"1"' } = {}): Handler {
  return (response, { headers }) => {
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? NaN)
    const isSame = headers['if-range'] === undefined || headers['if-range'] === etag
    if (Number.isNaN(start) || !isSame) {
      response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes)
      return
    }
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
    response.writeHead(206, { etag, 'content-range': range, 'content-length': bytes.length - start }).end(bytes.subarray(start))
  }
}

/** Sends a part of the file that it announced, and then does something else, or nothing. */
export function servePart(
  bytes: Uint8Array,
  { part, headers = { etag: '"1"' }, then }: { part: number; headers?: Record<string, string>; then?: (response: ServerResponse) => void },
): Handler {
  return (response) => {
    response.writeHead(200, { ...headers, 'content-length': bytes.length })
    response.write(bytes.subarray(0, part), () => then?.(response))
  }
}
