import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { linspaceIndices } from '../../../src/sampling/linspace.js'
import { uniform } from '../../../src/sampling/uniform.js'
import type { DecodeObserver } from '../../../src/sources/decoding/decode-job.js'
import { decodePlan } from '../../../src/sources/decoding/decode-plan.js'
import { DecoderSlots } from '../../../src/sources/decoding/decoder-slots.js'
import { file } from '../../../src/sources/file.js'
import { type DecodeJob, planDecoding } from '../../../src/sources/decoding/seek-plan.js'
import { VideoHealth } from '../../../src/sources/decoding/video-health.js'
import { type VideoTrack, readVideoTrack } from '../../../src/sources/decoding/video-track.js'
import { md5, readAll } from '../helpers/frames.js'
import { BUNNY, MediaFolder, ffmpegSync, fullDecodeHashes, mediaKinds } from '../helpers/media.js'
import { childProcesses } from '../helpers/processes.js'

const media = new MediaFolder()
const { signal } = new AbortController()

async function decode(track: VideoTrack, jobs: readonly DecodeJob[], observer: DecodeObserver = new VideoHealth()) {
  const pictures: { index: number; hash: string; decoders: number }[] = []
  // Whatever machine this is.
  const slots = new DecoderSlots(2)
  for await (const { index, data } of decodePlan(track, jobs, { observer, signal, slots })) {
    pictures.push({ index, hash: md5(data), decoders: childProcesses().length })
  }
  return pictures
}

describe.each(mediaKinds)('%s', (kind) => {
  test.each([1, 3, 16, 33])('gives the frames of a full decode for uniform(%i)', async (count) => {
    const path = media.kind(kind)
    const hashes = fullDecodeHashes(path)
    const { frames, info } = await readAll(file(path, { sampling: uniform(count) }))
    const indices = linspaceIndices(hashes.length, count)
    expect(frames.map(({ index }) => index)).toEqual(indices)
    expect(frames.map(({ data }) => md5(data))).toEqual(indices.map((index) => hashes[index]))
    expect(info.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test.each([3, 16])('gives the same frames where each of %i is sought', async (count) => {
    const path = media.kind(kind)
    const hashes = fullDecodeHashes(path)
    const track = await readVideoTrack(path, signal)
    const indices = [...new Set(linspaceIndices(track.ticks.length, count))]
    const jobs = planDecoding(track, indices, { startCost: -Infinity })
    expect(jobs).toHaveLength(indices.length)
    expect(jobs.filter(({ seekSeconds }) => seekSeconds !== undefined).length).toBeGreaterThan(indices.length / 2)

    const health = new VideoHealth()
    health.begin(track, jobs)
    const pictures = await decode(track, jobs, health)
    expect(pictures.map(({ index }) => index)).toEqual(indices)
    expect(pictures.map(({ hash }) => hash)).toEqual(indices.map((index) => hashes[index]))
    // What a decoder says after a seek, about pictures that nobody wants, is no damage.
    expect(health.health()).toEqual({ coverage: 1, warnings: [] })
  })
})

test.each(['annexb.h264', 'b-frames.avi'])('counts the pictures of %s, which has no timestamps', async (name) => {
  const path = media.make(name, ['-i', BUNNY, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'])
  const hashes = fullDecodeHashes(path)
  const { frames } = await readAll(file(path, { sampling: uniform(16) }))
  expect(frames.map(({ data }) => md5(data))).toEqual(linspaceIndices(125, 16).map((index) => hashes[index]))
  expect(frames.at(-1)?.ptsMs).toBe(4960)
})

test('passes over what comes before the first keyframe of a recording', async () => {
  const whole = readFileSync(media.kind('transport.ts'))
  const path = join(media.path, 'tail.ts')
  writeFileSync(path, whole.subarray(Math.floor((whole.length * 0.3) / 188) * 188))
  const hashes = fullDecodeHashes(path)
  expect(hashes.length).toBeGreaterThan(50)

  const { frames, info } = await readAll(file(path, { sampling: uniform(16) }))
  expect(frames[0]?.ptsMs).toBe(0)
  expect(frames.map(({ data }) => md5(data))).toEqual(linspaceIndices(hashes.length, 16).map((index) => hashes[index]))
  expect(info.health().coverage).toBeGreaterThan(0.9)
})

test('never has more than two decoders at work', async () => {
  const track = await readVideoTrack(media.kind('transport.ts'), signal)
  const jobs = planDecoding(track, linspaceIndices(125, 8), { startCost: -Infinity })
  const pictures = await decode(track, jobs)
  expect(Math.max(...pictures.map(({ decoders }) => decoders))).toBe(2)
  expect(childProcesses()).toEqual([])
})

describe('an hour', () => {
  const hour = () => {
    const small = media.make('small.mp4', ['-i', BUNNY, '-vf', 'scale=96:54', '-g', '25', '-c:v', 'libx264', '-crf', '38'])
    return media.loop('hour.mp4', { source: small, times: 720 })
  }

  test('needs 16 short runs of the decoder for 16 frames', async () => {
    const track = await readVideoTrack(hour(), signal)
    expect(track.ticks).toHaveLength(90_000)
    const jobs = planDecoding(track, linspaceIndices(90_000, 16))
    expect(jobs).toHaveLength(16)
    // At most two groups of pictures (25 each) a run, of 90,000 pictures.
    expect(jobs.map(({ decodedPictures }) => decodedPictures).every((count) => count <= 75)).toBe(true)
  })

  test('gives the very frames of the clip it repeats', async () => {
    const { frames } = await readAll(file(hour(), { sampling: uniform(6) }))
    const hashes = fullDecodeHashes(media.make('small.mp4', []))
    expect(frames.map(({ index }) => index)).toEqual(linspaceIndices(90_000, 6))
    expect(frames.map(({ data }) => md5(data))).toEqual(frames.map(({ index }) => hashes[index % 125]))
    expect(frames.at(-1)?.ptsMs).toBe(3_599_960)
  })
})

test('leaves a picture on the cover of a sound file alone', async () => {
  const cover = media.make('cover.png', ['-i', BUNNY, '-frames:v', '1'])
  const song = media.make('song.mp3', [
    ...['-f', 'lavfi', '-i', 'sine=duration=1', '-i', cover, '-map', '0', '-map', '1', '-c:v', 'copy'],
    ...['-disposition:v', 'attached_pic'],
  ])
  expect(ffmpegSync(['-i', song, '-map', '0:v', '-f', 'framemd5', '-']).toString()).toContain('0,')
  await expect(readAll(file(song))).rejects.toMatchObject({ code: 'VIDEO_NO_TRACK' })
})
