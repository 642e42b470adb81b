import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'

import { allFrames } from '../../../src/sampling/all-frames.js'
import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'
import { rtsp } from '../../../src/sources/rtsp.js'
import { type RtspServer, describeWithRtsp, startRtspServer } from '../../support/rtsp-server.js'
import { WAIT } from '../contract.js'
import { QUICK, isBalanced, watchLive } from '../helpers/live.js'
import { MediaFolder } from '../helpers/media.js'
import { childProcesses, commandOf } from '../helpers/processes.js'
import { hevcClip, soundClip, stillClip, testClip, turningClip } from '../helpers/rtsp-clips.js'

const cameraReader = fileURLToPath(new URL('../helpers/camera-reader.ts', import.meta.url))
const jiti = fileURLToPath(new URL('../../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

const media = new MediaFolder()
const LIVE = { sampling: allFrames(), reconnect: QUICK }

/** Listens on a free port; counts who comes. */
async function listen(onConnection: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { address: `rtsp://127.0.0.1:${port}/live`, count: () => sockets.length, connected: once(server, 'connection') }
}

/** A generator of numbers from 0 up to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    const again = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((again ^ (again >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('a server that is none', () => {
  test('accepts and says nothing: the watchdog ends the decoder, and tries again', async () => {
    const { address, count } = await listen(() => undefined)
    const reconnect = { ...QUICK, maxAttempts: 1 }
    const watched = await watchLive(rtsp(address, { sampling: allFrames(), noFrameTimeoutMs: 1500, reconnect }))
    await watched.until(() => watched.ends.length > 0)
    expect(watched.ends).toEqual([expect.objectContaining({ code: 'RTSP_SILENT', canRetry: true })])
    expect(watched.reasons()).toEqual(['RTSP_SILENT'])
    expect(count()).toBeGreaterThan(0)
    await watched.stop()
  })

  /** Lets a process read the silent camera; gives it, and its decoder. */
  async function readSilent(noFrameTimeoutMs: number) {
    const { address, connected } = await listen(() => undefined)
    const reader = spawn(process.execPath, [jiti, cameraReader, address, String(noFrameTimeoutMs)], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    onTestFinished(() => void reader.kill('SIGKILL'))
    await connected
    const decoder = childProcesses(reader.pid).find(({ pid }) => commandOf(pid).includes(address))
    return { reader, decoderPid: decoder?.pid ?? 0 }
  }
  const isGone = (pid: number): boolean => commandOf(pid).length === 0

  test('accepts and says nothing: the decoder ends with a process that ends at once', async () => {
    const { reader, decoderPid } = await readSilent(600_000)
    expect(isGone(decoderPid)).toBe(false)
    reader.stdin.end('end')
    expect(await once(reader, 'exit')).toEqual([130, null])
    await vi.waitUntil(() => isGone(decoderPid), WAIT)
  })

  test('accepts and says nothing: the decoder ends by itself after a kill -9 of its process', async () => {
    const { reader, decoderPid } = await readSilent(3000)
    expect(isGone(decoderPid)).toBe(false)
    reader.kill('SIGKILL')
    await once(reader, 'exit')
    await vi.waitUntil(() => isGone(decoderPid), WAIT)
  })

  test('sends the reader elsewhere: it is not followed, and not tried again', async () => {
    const { address } = await listen((socket) => {
      socket.on('data', () => {
        socket.end('RTSP/1.0 302 Found\r\nCSeq: 1\r\nLocation: rtsp://127.0.0.1:1/other\r\n\r\n')
      })
    })
    const watched = await watchLive(rtsp(address, { ...LIVE, user: 'admin', password: 'hunter2' }))
    await watched.until(() => watched.ends.length > 0)
    expect(watched.ends).toEqual([expect.objectContaining({ code: 'RTSP_REDIRECTED', canRetry: false })])
    expect(String(watched.ends[0])).not.toContain('hunter2')
    expect(watched.reasons()).toEqual([])
    await watched.stop()
  })
})

describeWithRtsp('rtsp when things go wrong', () => {
  let server: RtspServer
  beforeAll(async () => {
    const mounts = { '/door': testClip(media), '/sound': soundClip(media), '/still': stillClip(media), '/turning': turningClip(media) }
    server = await startRtspServer({ mounts })
  })
  afterAll(() => server.stop())

  test('a server killed 20 times, at random: frames go on, each time in a later epoch', { timeout: 600_000 }, async () => {
    const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)
    console.info(`rtsp faults: TEST_SEED=${seed}`)
    const random = seeded(seed)
    const watched = await watchLive(rtsp(server.address('/door'), LIVE))
    await watched.more(1)
    for (let kill = 0; kill < 20; kill++) {
      // 0: while it is only being connected to.
      await watched.more(Math.floor(random() * 16))
      await server.restart()
    }
    const before = watched.epochs().length
    await watched.until(() => watched.epochs().length > before)
    await watched.more(5)
    await watched.stop()

    expect(watched.ends).toEqual([])
    const epochs = watched.frames.map(({ stream }) => stream.epoch)
    expect(epochs).toEqual([...epochs].sort((left, right) => left - right))
    expect(watched.epochs().length).toBeGreaterThan(10)
    expect(watched.reasons().length).toBeGreaterThanOrEqual(watched.epochs().length - 1)
    for (const epoch of watched.epochs()) {
      const ofEpoch = watched.frames.filter(({ stream }) => stream.epoch === epoch)
      expect(ofEpoch[0]).toMatchObject({ index: 0, ptsMs: 0 })
      expect(ofEpoch.every(({ ptsMs }, place) => place === 0 || ptsMs > (ofEpoch[place - 1]?.ptsMs ?? 0))).toBe(true)
    }
    const counts = watched.info.ledger.counts()
    expect(isBalanced(counts)).toBe(true)
    expect(counts.framesInFlight).toBe(0)
    expect(counts.encoded).toBe(watched.frames.length)
  })

  test('a server that hangs in the middle is given up, and found again', async () => {
    const watched = await watchLive(rtsp(server.address('/door'), { ...LIVE, noFrameTimeoutMs: 3000 }))
    await watched.more(5)
    server.hang()
    onTestFinished(() => {
      server.goOn()
    })
    await watched.until(() => watched.reasons().includes('RTSP_SILENT'))
    server.goOn()
    await watched.more(5)
    expect(watched.epochs().length).toBeGreaterThan(1)
    await watched.stop()
  })

  test('a wrong password is final: one attempt, no storm', async () => {
    const guarded = await startRtspServer({ mounts: { '/door': testClip(media) }, login: { user: 'admin', password: 'right' } })
    onTestFinished(() => guarded.stop())
    const door = await listen((socket) => {
      socket.pipe(connect(guarded.port, '127.0.0.1')).on('error', () => undefined).pipe(socket)
    })
    for (const login of [{}, { user: 'admin', password: 'hunter2' }]) {
      const before = door.count()
      const watched = await watchLive(rtsp(door.address.replace('/live', '/door'), { ...LIVE, ...login }))
      await watched.until(() => watched.ends.length > 0)
      expect(watched.ends).toEqual([expect.objectContaining({ code: 'RTSP_UNAUTHORIZED', canRetry: false })])
      expect(String(watched.ends[0])).not.toContain('hunter2')
      expect([watched.reasons(), door.count() - before]).toEqual([[], 1])
      await watched.stop()
    }
  })

  test('sound alone is final', async () => {
    const watched = await watchLive(rtsp(server.address('/sound'), LIVE))
    await watched.until(() => watched.ends.length > 0)
    expect(watched.ends).toEqual([expect.objectContaining({ code: 'RTSP_NO_VIDEO', canRetry: false })])
    // Asked for video alone the server only fails; asked for everything it shows what it has.
    expect(watched.reasons()).toEqual(['RTSP_UNREACHABLE'])
    await watched.stop()
  })

  test('a path that is not there yet is tried until it is', async () => {
    const watched = await watchLive(rtsp(server.address('/late'), LIVE))
    await watched.until(() => watched.reasons().length >= 3)
    expect(new Set(watched.reasons())).toEqual(new Set(['RTSP_UNREACHABLE']))
    expect(watched.notices[0]).toMatchObject({ fields: { attempt: 1, reason: expect.stringContaining('404') as string } })
    server.mount({ '/late': testClip(media) })
    await watched.more(3)
    await watched.stop()
  })

  test('a change of size in the middle begins an epoch of that size', async () => {
    // Somebody else looks on, so that the clip isn't begun again with each connection.
    const address = server.address('/turning')
    const onlooker = spawn(findFfmpeg(), ['-v', 'quiet', '-nostdin', '-rtsp_transport', 'tcp', '-i', address, '-f', 'null', '-'])
    onTestFinished(() => void onlooker.kill('SIGKILL'))
    const watched = await watchLive(rtsp(address, LIVE))
    await watched.until(() => new Set(watched.frames.map(({ width }) => width)).size === 2)
    onlooker.kill('SIGKILL')
    await watched.stop()
    for (const epoch of watched.epochs()) {
      const ofEpoch = watched.frames.filter(({ stream }) => stream.epoch === epoch)
      expect(new Set(ofEpoch.map(({ width, height }) => `${width}x${height}`)).size).toBe(1)
    }
    expect(watched.reasons()).toContain('RTSP_CHANGED')
  })

  test('a change of codec, with the size, is lived through', async () => {
    const watched = await watchLive(rtsp(server.address('/door'), LIVE))
    await watched.more(5)
    server.mount({ '/door': hevcClip(media) })
    await watched.until(() => watched.frames.at(-1)?.width === 160)
    server.mount({ '/door': testClip(media) })
    await watched.until(() => watched.frames.at(-1)?.width === 64)
    expect(watched.epochs()).toHaveLength(3)
    await watched.stop()
  })

  test('a frozen picture makes one new connection, not one each time', async () => {
    const watched = await watchLive(rtsp(server.address('/still'), { ...LIVE, frozenAfterMs: 400 }))
    await watched.until(() => watched.epochs().length > 1)
    expect(watched.reasons()).toEqual(['RTSP_FROZEN'])
    expect(watched.notices.map(({ kind }) => kind)).toEqual(['epoch', 'frozen', 'reconnect', 'epoch'])
    await watched.more(40)
    expect(watched.reasons()).toEqual(['RTSP_FROZEN'])
    await watched.stop()
  })
})
