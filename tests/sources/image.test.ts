/**
 * The contract suite of sources is about one stream of at least 20 frames, which this source never has; what of it applies to one
 * frame is tested here.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { count, lastValueFrom, toArray } from 'rxjs'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { allowList } from '../../src/sources/allow-list.js'
import { type ImageOptions, MOST_IMAGE_BYTES, image } from '../../src/sources/image.js'
import { isImageName } from '../../src/sources/image/image-name.js'
import type { DownloadOptions } from '../../src/sources/remote-file/settings.js'
import type { FrameStream } from '../../src/sources/source.js'
import { videoOrImage } from '../../src/sources/video-or-image.js'
import { goldenTensor, readGolden } from '../support/golden.js'
import { onlyStream, readAll } from './helpers/frames.js'
import { type Handler, VideoServer, serve, status } from './helpers/video-server.js'

let folder = ''
const golden = readGolden('pictures.safetensors')
const path = (name: string): string => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tinyllava-stream-image-'))
  for (const name of ['rgb.png', '420.jpg', 'lossless.webp', 'turned.jpg']) writeFileSync(path(name), goldenTensor(golden, `file.${name}`).data)
  mkdirSync(path('folder.png'))
  mkdirSync(path('other'))
  writeFileSync(path('other/rgb.png'), goldenTensor(golden, 'file.rgb.png').data)
  writeFileSync(path('empty.png'), '')
  writeFileSync(path('large.png'), '')
  truncateSync(path('large.png'), MOST_IMAGE_BYTES + 1)
  writeFileSync(path('text.png'), 'no picture')
  writeFileSync(path('cut.png'), goldenTensor(golden, 'file.rgb.png').data.subarray(0, 900))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const streamsOf = (paths: readonly string[], options: ImageOptions = {}): Promise<FrameStream[]> =>
  lastValueFrom(image(paths, options).streams.pipe(toArray()))

describe('image', () => {
  test.each(['rgb.png', '420.jpg', 'lossless.webp'])('gives %s as one frame, a picture, with the pixels that Pillow gives', async (name) => {
    const { frames, info } = await readAll(image(path(name)))
    const { data, shape: [height, width] } = goldenTensor(golden, `rgb.${name}`)
    expect(frames).toHaveLength(1)
    expect(frames[0]).toMatchObject({ index: 0, ptsMs: 0, width, height, kind: 'picture', stream: info })
    expect(Buffer.compare(frames[0]?.data ?? Buffer.of(), Buffer.from(data))).toBe(0)
    // Sent to another thread, a picture takes all of its buffer along.
    expect(frames[0]?.data.buffer.byteLength).toBe(frames[0]?.data.byteLength)
    expect(info).toMatchObject({ id: name, kind: 'image', epoch: 0, isLive: false })
    expect(info.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('turns a picture as its EXIF orientation says, unless it is told not to', async () => {
    const sizeOf = async (options: ImageOptions) => {
      const [frame] = (await readAll(image(path('turned.jpg'), options))).frames
      return [frame?.width, frame?.height]
    }
    expect([await sizeOf({}), await sizeOf({ orient: true }), await sizeOf({ orient: false })]).toEqual([[33, 47], [33, 47], [47, 33]])
  })

  test('gives each of several pictures as a stream of its own, in their order', async () => {
    const streams = await streamsOf([path('rgb.png'), path('420.jpg')], { questions: ['What?'] })
    expect(streams.map(({ info: { id, questions } }) => [id, questions])).toEqual([['rgb.png', ['What?']], ['420.jpg', ['What?']]])
    expect((await streamsOf([path('rgb.png'), path('420.jpg')], { id: 'parcel' })).map(({ info }) => info.id)).toEqual(['parcel/rgb.png', 'parcel/420.jpg'])
    expect([image(path('rgb.png'), { id: 'front' }).id, image([path('rgb.png'), path('420.jpg')]).id]).toEqual(['front', 'images'])
  })

  test('opens nothing before the frames are subscribed to', async () => {
    const { info } = await onlyStream(image(path('not-there.png')))
    expect(info.ledger.counts().handedOut).toBe(0)
  })

  test('refuses two pictures of one name, whose answers nobody could tell apart', () => {
    expect(() => image([path('rgb.png'), path('other/rgb.png')])).toThrow(settingInvalid(/called rgb\.png/))
  })

  test.each<[string, unknown, ImageOptions]>([
    ['no path', '', {}],
    ['an empty list', [], {}],
    ['an address of another kind', 'rtsp://example.com/a.png', {}],
    ['a download that memory wouldn’t hold', 'https://example.com/a.png', { download: { maxBytes: MOST_IMAGE_BYTES + 1 } }],
    ['another setting', 'a.png', { turn: true } as ImageOptions],
    ['no pixels', 'a.png', { maxPixels: 0 }],
  ])('refuses %s', (_, given, options) => {
    expect(() => image(given as string, options)).toThrow(settingInvalid(/./))
  })

  test.each([
    ['not-there.png', 'VIDEO_NOT_FOUND', /not-there\.png/],
    ['folder.png', 'VIDEO_NOT_A_FILE', /is a directory/],
    ['empty.png', 'VIDEO_EMPTY', /has no bytes/],
    ['large.png', 'VIDEO_TOO_LARGE', /large\.png has 268435457 bytes; a picture may have 268435456/],
    ['text.png', 'FRAME_UNREADABLE', /text\.png is no JPEG, PNG or WebP picture/],
    ['cut.png', 'FRAME_UNREADABLE', /cut\.png can't be decoded/],
  ])('says what is wrong with %s', async (name, code, message) => {
    const reading = readAll(image(path(name)))
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  })

  test('refuses a picture of more pixels than are allowed', async () => {
    await expect(readAll(image(path('rgb.png'), { maxPixels: 1000 }))).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE' })
  })
})

describe('image, of an http address', () => {
  const server = new VideoServer()
  const bytes = Buffer.from(goldenTensor(golden, 'file.rgb.png').data)

  test('gives the pixels of the file, under its name, and leaves nothing behind', async () => {
    const temporary = mkdtempSync(join(folder, 'temporary-'))
    const address = server.on('/album/rgb.png', serve(bytes))
    const [near, far] = [await readAll(image(path('rgb.png'))), await readAll(image(address, { download: { folder: temporary } }))]
    expect(Buffer.compare(far.frames[0]?.data ?? Buffer.of(), near.frames[0]?.data ?? Buffer.of(1))).toBe(0)
    expect(far.info).toMatchObject({ id: 'rgb.png', kind: 'image' })
    expect(readdirSync(temporary)).toEqual([])
  })

  test('is one of several pictures', async () => {
    const streams = await streamsOf([path('420.jpg'), server.on('/rgb.png', serve(bytes))])
    expect(streams.map(({ info: { id } }) => id)).toEqual(['420.jpg', 'rgb.png'])
    expect(await Promise.all(streams.map(({ frames }) => lastValueFrom(frames.pipe(count()))))).toEqual([1, 1])
  })

  test.each<[string, Handler, DownloadOptions, string]>([
    ['is not there', status(404), {}, 'VIDEO_NOT_FOUND'],
    ['is no picture', serve(Buffer.from('no picture')), {}, 'FRAME_UNREADABLE'],
    ['is larger than is allowed', serve(bytes), { maxBytes: 100 }, 'VIDEO_TOO_LARGE'],
    ['lies where nobody allowed', serve(bytes), { allow: allowList([]) }, 'ADDRESS_NOT_ALLOWED'],
  ])('says that it %s, by its address alone', async (_, handler, download, code) => {
    const address = server.on('/rgb.png', handler)
    const error: unknown = await readAll(image(`${address}?token=secret`, { download })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code })
    expect(String(error)).not.toMatch(/secret|tinyllava-stream-video/)
  })

  test.each<[string, DownloadOptions, RegExp]>([
    ['may be raised', { maxBytes: 100 }, /; 100 are allowed\. Raise `download\.maxBytes`/],
    ['is that of every picture', {}, /; 268435456 are allowed\. Name a smaller one\.$/],
  ])('says what to do where it is larger than a limit that %s', async (_, download, message) => {
    const address = server.on('/large.png', (response) => { response.writeHead(200, { 'content-length': MOST_IMAGE_BYTES + 1 }).flushHeaders() })
    const reading = readAll(image(address, { download }))
    await expect(reading).rejects.toMatchObject({ code: 'VIDEO_TOO_LARGE', message: expect.stringMatching(message) as unknown })
  })
})

test('pictures are told from videos by their names', async () => {
  expect(['a.jpg', 'a.JPEG', 'a.png', 'a.webp', 'a.mp4', 'jpg', 'a.gif'].map(isImageName)).toEqual([true, true, true, true, false, false, false])
  const kindOf = (name: string): string => videoOrImage(name, {}).kind
  expect([path('rgb.png'), 'a.mp4', 'https://example.com/a.png?size=2', 'https://example.com/watch?v=a.png'].map(kindOf))
    .toEqual(['image', 'file', 'image', 'file'])
  await sharp({ create: { width: 3, height: 2, channels: 3, background: '#000' } }).png().toFile(path('small.PNG'))
  expect((await readAll(videoOrImage(path('small.PNG'), {}))).frames).toHaveLength(1)
})

function settingInvalid(message: RegExp): unknown {
  return expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringMatching(message) as unknown })
}
