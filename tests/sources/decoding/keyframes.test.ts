import { spawnSync } from 'node:child_process'

import { describe, expect, test, vi } from 'vitest'

import { allFrames } from '../../../src/sampling/all-frames.js'
import { byFps } from '../../../src/sampling/by-fps.js'
import { linspaceIndices } from '../../../src/sampling/linspace.js'
import { uniform } from '../../../src/sampling/uniform.js'
import { decodePlan } from '../../../src/sources/decoding/decode-plan.js'
import { decodeWanted } from '../../../src/sources/decoding/decode-wanted.js'
import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'
import { file } from '../../../src/sources/file.js'
import { keyframesOf, planKeyframes } from '../../../src/sources/decoding/keyframe-plan.js'
import { VideoHealth } from '../../../src/sources/decoding/video-health.js'
import { readVideoTrack } from '../../../src/sources/decoding/video-track.js'
import type { Frame } from '../../../src/types.js'
import { WAIT } from '../contract.js'
import { md5, onlyStream, readAll } from '../helpers/frames.js'
import { BUNNY, MediaFolder, fullDecodeHashes, mediaKinds } from '../helpers/media.js'
import { childProcesses, commandOf } from '../helpers/processes.js'
import { trackOf } from '../helpers/track.js'

const media = new MediaFolder()
const { signal } = new AbortController()
const only = { keyframesOnly: true }

/** Files with keyframes that come out of order, or not at all, where all other pictures are passed over. */
const DEPENDENT = { 'open-gops.mp4': 'open-gop=1:keyint=25:bframes=3', 'intra-refresh.mp4': 'intra-refresh=1:keyint=25:bframes=3' }
const dependentKinds = Object.keys(DEPENDENT) as readonly (keyof typeof DEPENDENT)[]
const READ_EXACTLY = "Some keyframes can't be decoded by themselves: they were read exactly."

function makeDependent(kind: keyof typeof DEPENDENT): string {
  return media.make(kind, ['-i', BUNNY, '-c:v', 'libx264', '-x264-params', DEPENDENT[kind]])
}

/** Places of the keyframes by what the decoder says of each picture of a full decode. */
function decodedKeyframes(path: string): number[] {
  const options = ['-i', path, '-map', '0:V:0', '-vf', 'showinfo', '-fps_mode', 'passthrough', '-f', 'null', '-']
  const { stderr } = spawnSync(findFfmpeg(), ['-nostdin', '-hide_banner', ...options], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const pictures = [...stderr.matchAll(/ n: *(\d+) .* iskey:([01])/g)]
  return pictures.filter(([, , isKey]) => isKey === '1').map(([, place]) => Number(place))
}

function expectShown(frames: readonly Frame[], { path, indices }: { path: string; indices: readonly number[] }): void {
  const hashes = fullDecodeHashes(path)
  expect(frames.map(({ index }) => index)).toEqual(indices)
  expect(frames.map(({ data }) => md5(data))).toEqual(indices.map((index) => hashes[index]))
}

describe.each(mediaKinds)('the keyframes of %s', (kind) => {
  test('are those of a full decode, to the last bit, with their own times', async () => {
    const path = media.kind(kind)
    const exact = await readAll(file(path, { sampling: allFrames() }))
    const { frames, info } = await readAll(file(path, { sampling: allFrames(only) }))
    const indices = decodedKeyframes(path)
    expect(indices.length).toBeGreaterThan(1)
    expectShown(frames, { path, indices })
    expect(frames.map(({ ptsMs }) => ptsMs)).toEqual(indices.map((index) => exact.frames[index]?.ptsMs))
    expect(info.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('are the same where each is sought', async () => {
    const path = media.kind(kind)
    const hashes = fullDecodeHashes(path)
    const track = await readVideoTrack(path, signal)
    const keyframes = keyframesOf(track)
    const jobs = planKeyframes(track, { keyframes, indices: keyframes }, { startCost: -Infinity })
    expect(jobs).toHaveLength(keyframes.length)

    const health = new VideoHealth()
    health.begin(track, jobs)
    const pictures: { index: number; hash: string }[] = []
    for await (const { index, data } of decodePlan(track, jobs, { observer: health, signal, decoder: only })) {
      pictures.push({ index, hash: md5(data) })
    }
    expect(pictures).toEqual(keyframes.map((index) => ({ index, hash: hashes[index] })))
    expect(health.health()).toEqual({ coverage: 1, warnings: [] })
  })
})

describe.each(dependentKinds)('the keyframes of %s, which need others', (kind) => {
  test('are read exactly, in order, with a word of it', async () => {
    const path = makeDependent(kind)
    const { frames, info } = await readAll(file(path, { sampling: allFrames(only) }))
    const indices = keyframesOf(await readVideoTrack(path, signal))
    expect(indices.length).toBeGreaterThan(3)
    expectShown(frames, { path, indices })
    expect(frames.map(({ ptsMs }) => ptsMs)).toEqual(indices.map((index) => index * 40))
    expect(info.health()).toEqual({ coverage: 1, warnings: [READ_EXACTLY] })
  })

  test('come as often as asked for where only some are wanted', async () => {
    const path = makeDependent(kind)
    const { frames, info } = await readAll(file(path, { sampling: uniform(3, only) }))
    expect(frames).toHaveLength(3)
    expectShown(frames, { path, indices: frames.map(({ index }) => index).sort((one, other) => one - other) })
    expect(info.health()).toEqual({ coverage: 1, warnings: [READ_EXACTLY] })
  })

  test('count as damage where they are missing even so', async () => {
    const whole = await readVideoTrack(makeDependent(kind), signal)
    const [first = 0, second = 0] = whole.ticks
    // A keyframe behind the end that the file doesn't have.
    const behind = (whole.ticks.at(-1) ?? 0) + second - first
    const track = { ...whole, ticks: [...whole.ticks, behind], keyTicks: [...whole.keyTicks, behind] }
    const keyframes = keyframesOf(track)
    const jobs = planKeyframes(track, { keyframes, indices: keyframes })
    const health = new VideoHealth()
    health.begin(track, jobs)
    const indices: number[] = []
    for await (const { index } of decodeWanted(track, { jobs, keyframesOnly: true }, { health, signal })) indices.push(index)
    expect(indices).toEqual(keyframes.slice(0, -1))
    const damaged = 'The file is damaged: some of the wanted pictures could not be decoded.'
    expect(health.health()).toEqual({ coverage: Math.floor(1e4 * (1 - 1 / keyframes.length)) / 1e4, warnings: [READ_EXACTLY, damaged] })
  })
})

describe('a file by keyframes', () => {
  test('gives the nearest ones, fewer than asked for where there are fewer, and says so', async () => {
    const path = media.kind('transport.ts')
    const { frames, info } = await readAll(file(path, { sampling: uniform(16, only) }))
    expectShown(frames, { path, indices: [0, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120] })
    expect(frames.map(({ ptsMs }) => ptsMs)).toEqual(frames.map(({ index }) => index * 40))
    const warnings = ['11 keyframes stand for 16 wanted frames: there are no others near them.']
    expect(info.health()).toEqual({ coverage: 1, warnings })
    expect(info.ledger.counts()).toMatchObject({ handedOut: 11, encoded: 11 })
  })

  test('gives as many as asked for without a word', async () => {
    const path = media.kind('transport.ts')
    const { frames, info } = await readAll(file(path, { sampling: uniform(3, only) }))
    expectShown(frames, { path, indices: [0, 60, 120] })
    expect(info.health().warnings).toEqual([])
  })

  test('gives the first of each slot', async () => {
    const path = media.kind('transport.ts')
    const { frames, info } = await readAll(file(path, { sampling: byFps(1, only) }))
    expect(frames.map(({ index }) => index)).toEqual([0, 36, 60, 84, 108])
    expect(info.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('says so where there are slots without one', async () => {
    const path = media.kind('transport.ts')
    const { frames, info } = await readAll(file(path, { sampling: byFps(5, only) }))
    expect(frames).toHaveLength(11)
    const warnings = ['11 keyframes stand for 25 wanted frames: there are no others near them.']
    expect(info.health()).toEqual({ coverage: 1, warnings })
  })

  test.each(['annexb.h264', 'b-frames.avi'])('reads %s exactly, which has no timestamps, and says so', async (name) => {
    const path = media.make(name, ['-i', BUNNY, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'])
    const { frames, info } = await readAll(file(path, { sampling: uniform(4, only) }))
    expectShown(frames, { path, indices: linspaceIndices(125, 4) })
    expect(info.health()).toEqual({ coverage: 1, warnings: ['The times of its keyframes are not known: the file was read exactly.'] })
  })

  test('has a decoder that passes over the others', async () => {
    const { frames } = await onlyStream(file(media.kind('transport.ts'), { sampling: allFrames(only), maxFramesInFlight: 1 }))
    const subscription = frames.subscribe()
    await vi.waitFor(() => {
      const commands = childProcesses().map(({ pid }) => commandOf(pid).join(' '))
      expect(commands.join('\n')).toMatch(/-skip_frame nokey .*-i .*rawvideo/)
    }, WAIT)
    subscription.unsubscribe()
    await vi.waitFor(() => {
      expect(childProcesses()).toEqual([])
    }, WAIT)
  })
})

describe('planKeyframes', () => {
  const hour = trackOf({ pictures: 90_000, keyframeEvery: 25 })
  const keyframes = keyframesOf(hour)

  test('needs two keyframes a run where they are far apart', () => {
    const indices = [0, 45_000, 75_000]
    const jobs = planKeyframes(hour, { keyframes, indices })
    expect(jobs.map(({ pictures }) => pictures)).toEqual(indices.map((index) => [{ index, times: 1 }]))
    expect(jobs.map(({ decodedPictures }) => decodedPictures)).toEqual([1, 2, 2])
    expect(jobs[1]?.seekSeconds).toBeCloseTo(1799.001, 6)
  })

  test('goes through a whole hour of them in one run', () => {
    const [job, ...others] = planKeyframes(hour, { keyframes, indices: keyframes })
    expect(others).toEqual([])
    expect(job?.decodedPictures).toBe(3600)
  })
})

test('keyframes that an edit list cuts off are none', () => {
  const cut = { ...trackOf({ pictures: 50 }), keyTicks: [-1000, 0, 1000] }
  expect(keyframesOf(cut)).toEqual([0, 25])
  expect(keyframesOf({ ...cut, hasTimestamps: false })).toEqual([])
})
