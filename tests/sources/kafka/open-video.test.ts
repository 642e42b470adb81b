import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { lastValueFrom, toArray } from 'rxjs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'

import { uniform } from '../../../src/sampling/uniform.js'
import { allowList } from '../../../src/sources/allow-list.js'
import { isPoison } from '../../../src/sources/kafka/message-video.js'
import { cameraSchema, openVideo } from '../../../src/sources/kafka/open-video.js'
import { downloadSchema } from '../../../src/sources/remote-file/settings.js'
import { VideoServer, redirect, serve } from '../helpers/video-server.js'

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

describe('a reference to a picture is a stream of one frame, where the allow list has it:', () => {
  const server = new VideoServer()
  const picture = sharp({ create: { width: 4, height: 3, channels: 3, background: '#aa3311' } }).png()
  const readWith = (uri: string, allowed: readonly string[]) => lastValueFrom(openVideo({ kind: 'reference', streamId: 'door', uri, isLive: false }, {
    ...{ reading: { sampling: uniform(16), maxFramesInFlight: 4 }, allow: allowList(allowed) },
    ...{ download: downloadSchema.parse({}), camera: cameraSchema.parse({}) },
  }).frames.pipe(toArray()))
  const door = [{ stream: { id: 'door' }, width: 4, height: 3, kind: 'picture' }]

  test('on this machine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tinyllava-stream-kafka-picture-'))
    try {
      const path = join(await realpath(folder), 'door.png')
      await picture.clone().toFile(path)
      const uri = pathToFileURL(path).href
      expect(await readWith(uri, [uri])).toMatchObject(door)
      await expect(readWith(uri, [])).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('behind an http address', async () => {
    const uri = server.on('/album/door.png', serve(await picture.clone().toBuffer()))
    expect(await readWith(`${uri}?size=4`, [server.address('/album/')])).toMatchObject(door)
    await expect(readWith(uri, [server.address('/other/')])).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
  })

  test('behind an http address that leads elsewhere', async () => {
    const uri = server.on('/album/door.png', redirect(server.address('/private/door.png')))
    await expect(readWith(uri, [server.address('/album/')])).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
  })
})
