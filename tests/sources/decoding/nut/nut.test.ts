import { describe, expect, test } from 'vitest'

import { readNut } from '../../../../src/sources/decoding/nut/nut.js'
import type { NutPicture } from '../../../../src/sources/decoding/nut/frame.js'
import { BUNNY, ffmpegSync } from '../../helpers/media.js'
import { FILE_ID, frame, mainHeader, packet, streamHeader, syncpoint, unsigned } from '../../helpers/nut-writer.js'

const NUT = ['-c:v', 'rawvideo', '-pix_fmt', 'rgb24', '-f', 'nut', '-']
const RAW = ['-pix_fmt', 'rgb24', '-f', 'rawvideo', '-']

/** Cuts bytes into chunks; `next` gives each one's length. */
async function* chunksOf(bytes: Uint8Array, next: () => number): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  for (let place = 0; place < bytes.length; ) {
    const length = next()
    yield bytes.subarray(place, place + length)
    place += length
  }
}

async function readBytes(bytes: Uint8Array, next = () => 1000): Promise<NutPicture[]> {
  const pictures: NutPicture[] = []
  for await (const picture of readNut(chunksOf(bytes, next))) pictures.push(picture)
  return pictures
}

/** Numbers that look random and are always the same. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function millisecondsOf({ pts, timeBase }: NutPicture): number {
  return (pts * 1000 * timeBase.numerator) / timeBase.denominator
}

describe('what ffmpeg writes', () => {
  const clip = ['-i', BUNNY, '-vf', 'scale=64:36', '-frames:v', '20', '-fps_mode', 'passthrough']

  test('gives the pixels and exact times', async () => {
    const pictures = await readBytes(ffmpegSync([...clip, '-enc_time_base', '1/12800', ...NUT]))
    const raw = ffmpegSync([...clip, ...RAW])
    expect(Buffer.concat(pictures.map(({ data }) => data)).equals(raw)).toBe(true)
    expect(pictures.map(millisecondsOf)).toEqual(Array.from({ length: 20 }, (_, place) => place * 40))
    expect(pictures[0]).toMatchObject({ width: 64, height: 36 })
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("doesn't depend on how the bytes are cut into chunks (seed %i)", async (seed) => {
    const bytes = ffmpegSync([...clip, ...NUT])
    const expected = await readBytes(bytes, () => bytes.length)
    const random = numbers(seed)
    const most = [1, 2, 10, 100, 1000, 6911, 6912, 30_000][seed - 1] ?? 1
    expect(await readBytes(bytes, () => random(most + 1))).toEqual(expected)
  })

  test('gives times that are far apart', async () => {
    const apart = ['-i', BUNNY, '-vf', "select='eq(n,0)+eq(n,124)',setpts=PTS*100000,scale=4:4", '-fps_mode', 'passthrough']
    const pictures = await readBytes(ffmpegSync([...apart, '-enc_time_base', '1/12800', ...NUT]))
    expect(pictures.map(millisecondsOf)).toEqual([0, 124 * 40 * 100_000])
  })
})

describe('what the format allows', () => {
  const pixels = (value: number) => new Uint8Array(12).fill(value)
  const head = Buffer.concat([FILE_ID, mainHeader(), streamHeader()])

  test('times in full, by their low bits, and after a syncpoint', async () => {
    const bytes = Buffer.concat([
      ...[head, frame(300, pixels(1)), frame(320, pixels(2), { inFull: false })],
      ...[syncpoint(100_000), frame(100_010, pixels(3), { inFull: false })],
    ])
    expect((await readBytes(bytes)).map(({ pts, data }) => [pts, data[0]])).toEqual([[300, 1], [320, 2], [100_010, 3]])
  })

  test('small pictures that leave out how they start', async () => {
    const data = Uint8Array.from([9, 8, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const elided = mainHeader({ elided: [[1, 1], [9, 8, 7]] })
    const bytes = Buffer.concat([FILE_ID, elided, streamHeader(), frame(0, data, { elided: 2, elidedLength: 3 })])
    expect(bytes.includes(Buffer.from(data))).toBe(false)
    expect((await readBytes(bytes)).map((picture) => picture.data)).toEqual([data])
  })

  test('headers that are repeated', async () => {
    const bytes = Buffer.concat([head, frame(0, pixels(1)), mainHeader(), streamHeader(), frame(1, pixels(2))])
    expect(await readBytes(bytes)).toHaveLength(2)
  })

  test('nothing at all', async () => {
    expect(await readBytes(new Uint8Array())).toEqual([])
    expect(await readBytes(head)).toEqual([])
  })
})

describe('what is refused', () => {
  const good = frame(0, new Uint8Array(12))
  const whole = (...parts: Buffer[]) => Buffer.concat([FILE_ID, ...parts])
  const huge = Buffer.from([0x4e, 0x4d, 1, 2, 3, 4, 5, 6, ...unsigned(2 ** 31)])

  test.each([
    ['another format', Buffer.from('RIFF, and some more bytes to be long enough')],
    ['a frame before the headers', whole(good)],
    ['a stream header before the main header', whole(streamHeader())],
    ['an unknown version', whole(mainHeader({ version: 9 }))],
    ['two streams', whole(mainHeader({ streams: 2 }))],
    ['a time base of 0', whole(mainHeader({ timeBase: [0, 25] }))],
    ['sound', whole(mainHeader(), streamHeader({ kind: 1 }))],
    ['an unknown time base', whole(mainHeader(), streamHeader({ timeBase: 7 }))],
    ['a picture of another size than it says', whole(mainHeader(), streamHeader({ width: 3 }), good)],
    ['a header of two gigabytes', whole(huge)],
    ['a header that ends too soon', whole(packet('M', [3, 1]))],
    ['a number without end', whole(packet('M', Array.from({ length: 40 }, () => 0xff)))],
    ['a picture that ends too soon', whole(mainHeader(), streamHeader(), good.subarray(0, 9))],
  ])('%s', async (_, bytes) => {
    await expect(readBytes(bytes)).rejects.toMatchObject({ code: 'VIDEO_DECODER_FAILED' })
  })

  test('damaged bytes end in pictures or in a coded error, never in anything else', async () => {
    const bytes = ffmpegSync(['-i', BUNNY, '-vf', 'scale=4:4', '-frames:v', '10', ...NUT])
    const random = numbers(99)
    for (let trial = 0; trial < 300; trial++) {
      const damaged = Uint8Array.from(bytes)
      damaged[random(damaged.length)] = random(256)
      const error: unknown = await readBytes(damaged).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error !== undefined) expect(error).toMatchObject({ code: 'VIDEO_DECODER_FAILED' })
    }
  })
})
