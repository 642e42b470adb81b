import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { lastValueFrom } from 'rxjs'
import { expect, test } from 'vitest'

import { uniform } from '../../src/sampling/uniform.js'
import { allowList } from '../../src/sources/allow-list.js'
import { isPoison } from '../../src/sources/kafka-message-video.js'
import { cameraSchema, openVideo } from '../../src/sources/kafka-open-video.js'
import { downloadSchema } from '../../src/sources/remote-file-settings.js'

/** A port of this machine at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('a camera that is off is given up, and is then the fault of the message that named it', async () => {
  const uri = `rtsp://127.0.0.1:${await closedPort()}/live`
  const defaults = {
    ...{ reading: { sampling: uniform(16), maxFramesInFlight: 4 }, allow: allowList([uri]) },
    ...{ download: downloadSchema.parse({}), camera: cameraSchema.parse({ reconnect: { minDelayMs: 1, maxAttempts: 2 } }) },
  }
  const reference = { kind: 'reference', streamId: 'door', uri, isLive: true, durationMs: 1000 } as const
  const { frames } = openVideo(reference, defaults)
  const error: unknown = await lastValueFrom(frames).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'RTSP_UNREACHABLE' })
  expect(isPoison(error as never)).toBe(true)
})

test('nobody waits for a camera for ever where nothing else is said', () => {
  expect(cameraSchema.parse({}).reconnect.maxAttempts).toBe(10)
  expect(cameraSchema.parse({ reconnect: { maxDelayMs: 1000 } }).reconnect).toEqual({ minDelayMs: 500, maxDelayMs: 1000, maxAttempts: 10 })
})
