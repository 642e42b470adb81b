import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request that came in. */
export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How a request is answered; `never`: the connection stays open and silent. */
export type Reply = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | 'never'

/** A real web server that can go down and come back at the same address. */
export class Receiver {
  readonly received: Received[] = []
  /** Replies to the next requests, then `reply`. */
  readonly replies: Reply[] = []
  reply: Reply = { status: 204 }
  #server: Server | undefined
  #port = 0
  readonly #watchers = new Set<() => void>()

  static async start(): Promise<Receiver> {
    const receiver = new Receiver()
    await receiver.start()
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks/path-token?key=query-token`
  }

  /** The texts of the answers that came in and were taken, in order. */
  get answers(): readonly string[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { readonly answer: string }).answer)
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        this.received.push({ method: request.method, url: request.url, headers: request.headers, body })
        const reply = this.replies.shift() ?? this.reply
        if (reply !== 'never') response.writeHead(reply.status, reply.headers).end('taken')
        for (const check of [...this.#watchers]) check()
      })
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Goes down, with all its connections. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  /** Resolves once so many requests have come in. */
  whenReceived(count: number): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.received.length < count) return
        this.#watchers.delete(check)
        resolve()
      }
      this.#watchers.add(check)
      check()
    })
  }
}
