import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { ClientSockets, closeClient } from '../../src/kafka/client-sockets.js'
import { createClient } from '../../src/kafka/connection.js'

test('a closed client has no connection, and makes none', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets = new ClientSockets()
  const connect = () => sockets.factory({ host: '127.0.0.1', port, ssl: false as never, onConnect: () => undefined })
  const [gone, open] = [connect(), connect()]
  await Promise.all([once(gone, 'connect'), once(open, 'connect')])
  gone.destroy()
  await once(gone, 'close')

  const told = once(open, 'error')
  sockets.close()
  expect(await told).toMatchObject([{ message: 'The client was closed' }])
  expect(open.destroyed).toBe(true)
  expect(connect).toThrow('The client was closed')
  server.close()
})

test('a request after the client was closed reaches nobody', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  let connections = 0
  server.on('connection', () => (connections += 1))
  const kafka = createClient({ brokers: [`127.0.0.1:${(server.address() as AddressInfo).port}`] })
  closeClient(kafka)
  const admin = kafka.admin({ retry: { retries: 0 } })
  await expect(admin.connect()).rejects.toThrow('The client was closed')
  expect(connections).toBe(0)
  server.close()
})
