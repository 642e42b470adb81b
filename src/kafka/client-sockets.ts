import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

import type { ISocketFactory, Kafka } from 'kafkajs'

/** The client's own way to connect. */
const connect = (createRequire(import.meta.url)('kafkajs/src/network/socketFactory.js') as () => ISocketFactory)()

const socketsOf = new WeakMap<Kafka, ClientSockets>()

/**
 * The connections of one client.
 *
 * The client (2.2.4) forgets those that it makes while it is disconnected, such as for a request that is tried again just
 * then: they stay, and keep the process alive.
 */
export class ClientSockets {
  readonly #open = new Set<Socket>()
  #isClosed = false

  /** Makes the connections of the client. */
  readonly factory: ISocketFactory = (address) => {
    if (this.#isClosed) throw new Error('The client was closed')
    const socket = connect(address)
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    return socket
  }

  /** Makes these the connections of a client, to be closed with it. */
  belongTo(kafka: Kafka): void {
    socketsOf.set(kafka, this)
  }

  close(): void {
    this.#isClosed = true
    // Told as an error, the client puts away what else it keeps for a connection.
    for (const socket of this.#open) socket.destroy(new Error('The client was closed'))
  }
}

/** Ends whatever connections of a client are left, once everything of it was disconnected; it can't connect any more. */
export function closeClient(kafka: Kafka): void {
  socketsOf.get(kafka)?.close()
}
