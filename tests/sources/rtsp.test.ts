import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { allFrames } from '../../src/sampling/all-frames.js'
import { byFps } from '../../src/sampling/by-fps.js'
import { rtsp } from '../../src/sources/rtsp.js'
import type { Clip } from '../../src/types.js'
import { createInstantModel } from '../operators/fakes.js'
import { type RtspServer, describeWithRtsp, startRtspServer } from '../support/rtsp-server.js'
import { sourceContract } from './contract.js'
import { onlyStream, readAll } from './helpers/frames.js'
import { QUICK, isBalanced, watchLive } from './helpers/live.js'
import { BUNNY, MediaFolder } from './helpers/media.js'
import { childProcesses, commandOf } from './helpers/processes.js'
import { testClip } from './helpers/rtsp-clips.js'

const media = new MediaFolder()
const LOGIN = { user: 'admin', password: 'hunter2/@?' }

describeWithRtsp('rtsp over a real server', () => {
  let server: RtspServer
  let guarded: RtspServer

  beforeAll(async () => {
    const door = testClip(media)
    server = await startRtspServer({ mounts: { '/door': door, '/bunny': { codec: 'h264', clip: BUNNY } } })
    guarded = await startRtspServer({ mounts: { '/door': door }, login: LOGIN })
  })
  afterAll(async () => {
    await server.stop()
    await guarded.stop()
  })

  sourceContract('rtsp', {
    make: ({ maxFramesInFlight }) =>
      rtsp(server.address('/door'), { sampling: allFrames(), durationMs: 1200, bufferFrames: 100, maxFramesInFlight }),
    makeBroken: () => rtsp('rtsp://127.0.0.1:1/none', { reconnect: { maxAttempts: 0 } }),
    hasEpochs: true,
  })

  describe('frames', () => {
    test('have media time from 0, capture time from the clock, and one epoch', async () => {
      const beforeMs = Date.now()
      const { frames, info } = await readAll(rtsp(server.address('/bunny'), { id: 'door', durationMs: 2500, sampling: byFps(2) }))
      expect(frames.map(({ ptsMs }) => Math.round(ptsMs / 500))).toEqual([0, 1, 2, 3, 4])
      expect(frames[0]).toMatchObject({ index: 0, width: 640, height: 360, stream: { id: 'door', kind: 'rtsp', isLive: false } })
      const epoch = frames[0]?.stream.epoch ?? 0
      expect(frames.every(({ stream }) => stream.epoch === epoch)).toBe(true)
      expect([epoch >= beforeMs, epoch <= Date.now()]).toEqual([true, true])
      const taken = frames.map(({ capturedAt = '' }) => Date.parse(capturedAt))
      expect(taken.every((timeMs) => timeMs >= beforeMs && timeMs <= Date.now())).toBe(true)
      expect(info.ledger.counts()).toMatchObject({ handedOut: 5, encoded: 5 })
    })

    test('are thinned inside the decoder, which is told as an estimate', async () => {
      const { frames, info } = await readAll(rtsp(server.address('/door'), { durationMs: 2100, sampling: byFps(1) }))
      expect(frames.map(({ index, ptsMs }) => [index, ptsMs])).toEqual([[0, 0], [1, 1000], [2, 2000]])
      // Of 26 pictures a second, one is had; the last one is behind the end.
      const pictures = Math.round((frames.at(-1)?.ptsMs ?? 0) / 40) + 1
      expect(info.thinnedEstimate?.()).toBeGreaterThanOrEqual(pictures - 3)
    })

    test('come over UDP, too', async () => {
      const watched = await watchLive(rtsp(server.address('/door'), { transport: 'udp', sampling: byFps(5), reconnect: QUICK }))
      await watched.more(5)
      const [decoder] = childProcesses()
      expect(commandOf(decoder?.pid ?? 0).join(' ')).toContain('-rtsp_transport udp')
      await watched.stop()
    })
  })

  test('lets in who knows the password, and shows it nowhere', async () => {
    const watched = await watchLive(rtsp(guarded.address('/door'), { ...LOGIN, sampling: allFrames(), reconnect: QUICK }))
    await watched.more(3)
    const [decoder] = childProcesses()
    const command = commandOf(decoder?.pid ?? 0).join(' ')
    expect(command).toContain('rtsp://127.0.0.1:')
    await guarded.restart()
    await watched.until(() => watched.reasons().length > 0)
    await watched.more(3)
    await watched.stop()
    for (const text of [command, JSON.stringify(watched.notices), JSON.stringify(watched.info)]) {
      expect(text).not.toMatch(/hunter2|admin/)
    }
  })

  test('closes the connection during a pause, and begins a new epoch after it', async () => {
    const watched = await watchLive(rtsp(server.address('/door'), { sampling: allFrames(), reconnect: QUICK }))
    await watched.more(3)
    watched.info.ledger.pause()
    await watched.until(() => childProcesses().length === 0)
    const { handedOut } = watched.info.ledger.counts()
    expect(watched.reasons()).toEqual([])

    watched.info.ledger.resume()
    await watched.more(3)
    expect(watched.epochs()).toHaveLength(2)
    expect(watched.frames[handedOut]).toMatchObject({ index: 0, ptsMs: 0 })
    await watched.stop()
    expect(isBalanced(watched.info.ledger.counts())).toBe(true)
  })

  test('makes no window that spans a reconnect', async () => {
    const { frames, notices } = await onlyStream(rtsp(server.address('/door'), { sampling: allFrames(), reconnect: QUICK }))
    const clips: Clip[] = []
    const lost: unknown[] = []
    notices?.subscribe(({ kind, fields }) => kind === 'reconnect' && lost.push(fields.code))
    const subscription = frames.pipe(encode(createInstantModel()), slidingWindow({ frames: 4 })).subscribe((clip) => clips.push(clip))
    await expect.poll(() => clips.length, { timeout: 60_000 }).toBeGreaterThan(1)
    await server.restart()
    const had = clips.length
    await expect.poll(() => clips.length, { timeout: 60_000 }).toBeGreaterThan(had + 3)
    subscription.unsubscribe()

    const epochsOf = (clip: Clip) => new Set(clip.frames.map(({ stream }) => stream.epoch))
    expect(clips.every((clip) => epochsOf(clip).size === 1)).toBe(true)
    expect(new Set(clips.flatMap((clip) => [...epochsOf(clip)])).size).toBe(2)
    expect(lost).toContain('RTSP_DISCONNECTED')
  })
})
