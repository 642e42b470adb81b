import type { FastifyInstance } from 'fastify'

import { StreamError } from '../../errors.js'

/** Where to listen. */
export interface ListenSettings {
  readonly host: string
  readonly port: number
}

/**
 * Begins to listen.
 *
 * @returns the address, with the port that was found.
 * @throws {StreamError} `HTTP_LISTEN_FAILED`
 */
export async function listen(app: FastifyInstance, settings: ListenSettings): Promise<string> {
  try {
    await app.listen({ ...settings })
  } catch (error) {
    throw new StreamError('HTTP_LISTEN_FAILED', failureMessage(error, settings), { cause: error })
  }
  const { host } = settings
  const bound = app.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : settings.port
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already: choose another port, or 0 for any that is free',
  EACCES: 'this user may not: choose a port from 1024 on',
  EADDRNOTAVAIL: 'it is no address of this machine: choose 127.0.0.1, or one of its own',
  ENOTFOUND: 'there is no machine of this name: choose 127.0.0.1, or an address of this machine',
}

function failureMessage(error: unknown, { host, port }: ListenSettings): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return `Can't listen on ${host}, port ${port}: ${ADVICE[code] ?? String(error)}${code === '' ? '' : ` (${code})`}.`
}
