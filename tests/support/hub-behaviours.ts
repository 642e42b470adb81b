import type { IncomingMessage, ServerResponse } from 'node:http'

/** An answer with the bytes of a file, about to be sent. */
export interface FileAnswer {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** All bytes of the file. */
  readonly bytes: Buffer
  readonly etag: string
}

/** How a server answers one request for a file. */
export type Behaviour = (answer: FileAnswer) => void

/** Sends a file, or the part that was asked for. */
export const properly: Behaviour = (answer) => {
  const { request, response, bytes, etag } = answer
  response.writeHead(rangeStart(request) > 0 ? 206 : 200, { ...rangeHeaders(answer), etag: `"${etag}"`, 'accept-ranges': 'bytes' })
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(rangeStart(request)))
}

/** Breaks the connection once this many bytes of the answer are out. */
export const cutAfter = (count: number): Behaviour => (answer) => {
  const { request, response, bytes } = answer
  const from = rangeStart(request)
  response.writeHead(from > 0 ? 206 : 200, rangeHeaders(answer))
  response.write(bytes.subarray(from, from + count), () => response.destroy())
}

/** Sends this many bytes and then nothing more. */
export const silentAfter = (count: number): Behaviour => ({ response, bytes }) => {
  response.writeHead(200, { 'content-length': bytes.length })
  response.write(bytes.subarray(0, count))
}

/** Sends the whole file whatever part of it was asked for. */
export const whole: Behaviour = ({ response, bytes }) => {
  response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
}

/** Sends a part that begins elsewhere. */
export const shifted: Behaviour = ({ request, response, bytes }) => {
  const from = rangeStart(request) + 1
  response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }).end(bytes.subarray(from))
}

/** Ends in good order before all bytes were sent, as a proxy does that has lost its own connection. */
export const shortened: Behaviour = ({ response, bytes }) => {
  response.writeHead(200).end(bytes.subarray(0, bytes.length / 2))
}

/** Sends other bytes, and some more. */
export const falsified = (more = 0): Behaviour => ({ response, bytes }) => {
  const other = Buffer.concat([bytes.map((byte) => byte ^ 1), Buffer.alloc(more)])
  response.writeHead(200, { 'content-length': other.length }).end(other)
}

/** Answers with a status, and headers where they matter. */
export const status = (code: number, headers: Readonly<Record<string, string>> = {}): Behaviour => ({ response }) => {
  response.writeHead(code, headers).end()
}

function rangeHeaders({ request, bytes }: FileAnswer): Record<string, string | number> {
  const from = rangeStart(request)
  const length = { 'content-length': bytes.length - from }
  return from === 0 ? length : { ...length, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
}

function rangeStart({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
}
