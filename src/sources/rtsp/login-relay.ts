import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'

/** An address on this machine that leads to another one, once. */
export interface LoginRelay {
  readonly url: string
  readonly close: () => void
}

/** A request is a few hundred bytes; who sends more isn't ffmpeg. */
const MAX_REQUEST_BYTES = 4096

/**
 * Keeps a login out of the list of processes, where everybody on the machine can read ffmpeg's arguments: ffmpeg is
 * handed an address of this process, and is told the camera's by a redirect over the loopback interface.
 *
 * ```
 * ffmpeg → OPTIONS rtsp://127.0.0.1:40123/8f3a… RTSP/1.0     with a path that can't be guessed
 *        ← RTSP/1.0 302 Found, Location: rtsp://user:password@camera/live
 * ffmpeg → camera                                            pictures don't pass through here
 * ```
 *
 * The first connection is the only one; the relay closes with it.
 */
export async function openLoginRelay(target: string): Promise<LoginRelay> {
  const path = `/${randomBytes(16).toString('hex')}`
  const server = createServer((socket) => {
    server.close()
    answer(socket, { path, target })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Reading the pictures keeps the process up, not waiting for one connection.
  server.unref()
  const { port } = server.address() as AddressInfo
  return {
    url: `rtsp://127.0.0.1:${port}${path}`,
    close: () => {
      server.close()
    },
  }
}

function answer(socket: Socket, { path, target }: { path: string; target: string }): void {
  let request = ''
  socket.setEncoding('latin1')
  // ffmpeg may be killed at any time.
  socket.on('error', () => undefined)
  socket.on('data', (text: string) => {
    request += text
    if (request.length > MAX_REQUEST_BYTES) socket.destroy()
    if (!request.includes('\r\n\r\n')) return
    const isOurs = /^\w+ (\S+) RTSP\/1\.0\r\n/.exec(request)?.[1]?.endsWith(path) === true
    const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1] ?? '1'
    const head = isOurs ? `RTSP/1.0 302 Found\r\nCSeq: ${sequence}\r\nLocation: ${target}` : 'RTSP/1.0 404 Not Found'
    socket.end(`${head}\r\n\r\n`)
  })
}
