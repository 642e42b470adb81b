import { afterAll, beforeAll, expect, test } from 'vitest'

import { allFrames } from '../../../src/sampling/all-frames.js'
import { byFps } from '../../../src/sampling/by-fps.js'
import { rtsp } from '../../../src/sources/rtsp.js'
import { type RtspServer, describeWithRtsp, startRtspServer } from '../../support/rtsp-server.js'
import { md5, readAll } from '../helpers/frames.js'
import { QUICK, watchLive } from '../helpers/live.js'
import { MediaFolder, fullDecodeHashes } from '../helpers/media.js'
import { childProcesses, commandOf } from '../helpers/processes.js'
import { testClip } from '../helpers/rtsp-clips.js'

const media = new MediaFolder()
const only = { keyframesOnly: true }
/** The clip has a keyframe every 12 pictures of 40 ms. */
const KEYFRAME_MS = 480

describeWithRtsp('a camera by its keyframes', () => {
  let server: RtspServer
  const clip = () => testClip(media)

  beforeAll(async () => {
    server = await startRtspServer({ mounts: { '/door': clip() } })
  })
  afterAll(() => server.stop())

  test('gives the keyframes of a full decode, each with its own time', async () => {
    const { frames, info } = await readAll(rtsp(server.address('/door'), { durationMs: 3000, sampling: allFrames(only), bufferFrames: 100 }))
    const hashes = fullDecodeHashes(clip().clip)
    const keyframes = hashes.filter((_, index) => index % 12 === 0)
    expect(frames.length).toBeGreaterThan(5)
    expect(frames.filter(({ data }) => !keyframes.includes(md5(data)))).toEqual([])
    const gaps = frames.slice(1).map(({ ptsMs }, place) => Math.round(ptsMs - (frames[place]?.ptsMs ?? 0)))
    // The clip ends with four pictures behind its last keyframe and begins again.
    expect(gaps.filter((gap) => gap !== KEYFRAME_MS && gap !== 160)).toEqual([])
    expect(info.health()).toEqual({ coverage: 1, warnings: [] })
    expect(info.thinnedEstimate?.()).toBeGreaterThan(50)
  })

  test('gives the first of each slot, and decodes no others', async () => {
    const watched = await watchLive(rtsp(server.address('/door'), { sampling: byFps(1, only), reconnect: QUICK }))
    await watched.more(4)
    const [decoder] = childProcesses()
    expect(commandOf(decoder?.pid ?? 0).join(' ')).toMatch(/-skip_frame nokey .*-i rtsp:/)
    const seconds = watched.frames.map(({ ptsMs }) => Math.floor((ptsMs + 1) / 1000))
    expect(seconds).toEqual(seconds.map((_, place) => place))
    expect(watched.frames.every(({ stream, ptsMs }) => stream.health({ startMs: 0, endMs: ptsMs }).coverage === 1)).toBe(true)
    await watched.stop()
  })
})
