import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import type { ErrorCode } from '../../src/errors.js'
import { allFrames } from '../../src/sampling/all-frames.js'
import { uniform } from '../../src/sampling/uniform.js'
import { file } from '../../src/sources/file.js'
import { md5, readAll } from './helpers/frames.js'
import { BUNNY, MediaFolder, fullDecodeHashes } from './helpers/media.js'

const media = new MediaFolder()

function write(name: string, bytes: Uint8Array): string {
  const path = join(media.path, name)
  writeFileSync(path, bytes)
  return path
}

/** The first part of a file. */
function cut(path: string, { name, share }: { name: string; share: number }): string {
  const bytes = readFileSync(path)
  return write(name, bytes.subarray(0, Math.floor(bytes.length * share)))
}

/** Bytes that look like nothing, always the same. */
function randomBytes(length: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** The clip with random bytes in the middle of its pictures. */
function corrupt(name: string): string {
  const bytes = readFileSync(BUNNY)
  bytes.set(randomBytes(Math.floor(bytes.length * 0.15)), Math.floor(bytes.length * 0.45))
  return write(name, bytes)
}

const indexAtEnd = (): string => media.make('index-at-end.mp4', ['-i', BUNNY, '-c', 'copy'])
const sound: readonly string[] = ['-f', 'lavfi', '-i', 'sine=duration=1']

/** What is wrong with a file, the code that says so, and such a file. */
const hopeless: readonly (readonly [string, ErrorCode, () => string])[] = [
  ['missing', 'VIDEO_NOT_FOUND', () => join(media.path, 'missing.mp4')],
  ['missing in a folder that is a file', 'VIDEO_NOT_FOUND', () => join(BUNNY, 'clip.mp4')],
  ['a directory', 'VIDEO_NOT_A_FILE', () => media.path],
  ['a device', 'VIDEO_NOT_A_FILE', () => '/dev/zero'],
  ['no bytes', 'VIDEO_EMPTY', () => write('empty.mp4', new Uint8Array())],
  ['random bytes', 'VIDEO_UNREADABLE', () => write('random.mp4', randomBytes(100_000))],
  ['text', 'VIDEO_UNREADABLE', () => write('text.mp4', Buffer.from('This is no video.\n'.repeat(50)))],
  ['sound alone, mp4', 'VIDEO_NO_TRACK', () => media.make('sound.m4a', sound)],
  ['sound alone, wav', 'VIDEO_NO_TRACK', () => media.make('sound.wav', sound)],
  ['cut off before its index', 'VIDEO_DAMAGED', () => cut(indexAtEnd(), { name: 'no-index.mp4', share: 0.6 })],
  ['cut off right after its index', 'VIDEO_NO_FRAMES', () => cut(BUNNY, { name: 'index-only.mp4', share: 0.016 })],
]

describe('a file of which nothing can be had is an error of its own kind:', () => {
  test.each(hopeless)('%s', async (_, code, path) => {
    const name = path()
    const error: unknown = await readAll(file(name)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'StreamError', code, canRetry: false })
    // What, where, and what to do: one line of two sentences, with the file's name.
    expect((error as Error).message).toContain(name)
    expect((error as Error).message).toMatch(/^[^\n]+[.:] [A-Z][^\n]+[.?]$/)
  })

  test('not ours to read', async () => {
    const path = join(media.path, 'locked.mp4')
    copyFileSync(BUNNY, path)
    chmodSync(path, 0)
    const reading = readAll(file(path, { sampling: uniform(1) }))
    // Who may do anything may read it: then there is nothing to complain about.
    if (process.getuid?.() === 0) expect((await reading).frames).toHaveLength(1)
    else await expect(reading).rejects.toMatchObject({ code: 'VIDEO_UNREADABLE' })
  })

  test('in a folder whose name is too long for the system', async () => {
    const path = join(media.path, 'x'.repeat(300))
    await expect(readAll(file(path))).rejects.toMatchObject({ code: 'VIDEO_UNREADABLE' })
  })
})

describe('a file that is no video is told what it is:', () => {
  const picture = (name: string) => media.make(name, ['-i', BUNNY, '-frames:v', '1'])
  const inDisguise = () => write('picture.mp4', readFileSync(picture('picture.jpg')))

  test.each([
    ['jpg', () => picture('picture.jpg')],
    ['png', () => picture('picture.png')],
    ['jpg in disguise', inDisguise],
  ] as const)('a picture (%s), which is no playlist', async (_, path) => {
    const error: unknown = await readAll(file(path())).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'VIDEO_FORMAT_REFUSED' })
    expect((error as Error).message).toMatch(/is a picture.+isn't a video container/)
    expect((error as Error).message).not.toContain('playlist')
  })

  test('text of which ffmpeg only says that it is invalid', async () => {
    const path = write('words.xyz', Buffer.from('These are words.\n'))
    await expect(readAll(file(path))).rejects.toMatchObject({
      code: 'VIDEO_UNREADABLE',
      message: `${path} is no video that ffmpeg knows. Check that it is a video file, whole and not encrypted.`,
    })
  })
})

describe('a file that was cut off', () => {
  test.each([
    ['mp4', () => BUNNY],
    ['mkv', () => media.make('whole.mkv', ['-i', BUNNY, '-c', 'copy'])],
    ['avi', () => media.make('whole.avi', ['-i', BUNNY, '-c:v', 'mpeg4', '-q:v', '5'])],
  ] as const)('gives what is there, with a coverage below 1 and a warning (%s)', async (format, whole) => {
    const path = cut(whole(), { name: `cut.${format}`, share: 0.6 })
    const { frames, info } = await readAll(file(path, { sampling: uniform(16) }))
    expect(frames).toHaveLength(16)
    const { coverage, warnings } = info.health()
    expect(coverage).toBeGreaterThan(0.2)
    // Of an AVI without its end ffmpeg guesses the length, and guesses too short.
    expect(coverage).toBeLessThan(0.8)
    expect(warnings.join()).toMatch(/cut off: it ends after \d\.\d of [345]\.\d seconds/)
  })

  test('gives whole pictures only', async () => {
    const path = cut(BUNNY, { name: 'cut-again.mp4', share: 0.5 })
    const { frames } = await readAll(file(path, { sampling: allFrames() }))
    const hashes = fullDecodeHashes(BUNNY)
    const last = frames.at(-1)?.index ?? 0
    expect(last).toBeGreaterThan(20)
    // The last group of pictures may lack what is shown before and stored behind the cut.
    const early = frames.filter(({ index }) => index < last - 4)
    expect(early.map(({ data }) => md5(data))).toEqual(early.map(({ index }) => hashes[index]))
  })
})

test('a file whose sound is longer than its pictures is whole', async () => {
  const path = media.make('long-sound.mp4', ['-i', BUNNY, '-f', 'lavfi', '-i', 'sine=duration=8', '-c:v', 'copy'])
  const { info } = await readAll(file(path))
  expect(info.health()).toEqual({ coverage: 1, warnings: [] })
})

describe('a file that is damaged in the middle', () => {
  test('gives the frames that can be had, with a coverage below 1 and a warning', async () => {
    const { frames, info } = await readAll(file(corrupt('corrupt.mp4'), { sampling: uniform(16) }))
    expect(frames.length).toBeGreaterThanOrEqual(8)
    expect(frames.length).toBeLessThan(16)
    const { coverage, warnings } = info.health()
    expect(coverage).toBeGreaterThan(0.4)
    expect(coverage).toBeLessThanOrEqual(frames.length / 16)
    expect(warnings.join()).toMatch(/damaged/)
  })

  test('keeps the places and the pictures of those before the damage', async () => {
    const { frames } = await readAll(file(corrupt('corrupt-too.mp4'), { sampling: allFrames() }))
    const hashes = fullDecodeHashes(BUNNY)
    const early = frames.slice(0, 30)
    expect(early.map(({ index }) => index)).toEqual(Array.from({ length: 30 }, (_, index) => index))
    expect(early.map(({ data }) => md5(data))).toEqual(hashes.slice(0, 30))
    expect(frames.at(-1)).toMatchObject({ index: 124, ptsMs: 4960 })
  })
})

describe('a file that names other files or hosts is never followed:', () => {
  const target = 'secret.mp4'
  const playlist = (name: string, text: string) => {
    mkdirSync(media.path, { recursive: true })
    copyFileSync(BUNNY, join(media.path, target))
    return write(name, Buffer.from(text))
  }
  const concat = `ffconcat version 1.0\nfile '${target}'\n`
  const hls = (address: string) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${address}\n#EXT-X-ENDLIST\n`

  test.each([
    ['a concat list', 'list.ffconcat', concat],
    ['a concat list in disguise', 'list.mp4', concat],
    ['a playlist of files', 'play.m3u8', hls(target)],
    ['a playlist in disguise', 'play.mp4', hls(target)],
    ['a playlist of hosts', 'remote.m3u8', hls('http://127.0.0.1:9/clip.ts')],
  ] as const)('%s', async (_, name, text) => {
    await expect(readAll(file(playlist(name, text)))).rejects.toMatchObject({
      code: 'VIDEO_FORMAT_REFUSED',
      canRetry: false,
    })
  })

  test.each([
    ['a DASH manifest', 'play.mpd', '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'],
    ['a session description', 'camera.sdp', 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n'],
  ] as const)('%s', async (_, name, text) => {
    const error: unknown = await readAll(file(playlist(name, text))).catch((reason: unknown) => reason)
    // Some builds of ffmpeg know such a file when they see one, some don't.
    expect((error as { code: string }).code).toMatch(/^VIDEO_(FORMAT_REFUSED|UNREADABLE)$/)
  })

  test('while ffmpeg alone does follow such a list', () => {
    expect(fullDecodeHashes(playlist('list.ffconcat', concat))).toHaveLength(125)
  })
})
