import { crc32 } from 'node:zlib'

import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'

import { StreamError } from '../src/errors.js'
import { decodeImage, encodeJpeg } from '../src/image-codec.js'
import { goldenTensor, readGolden } from './support/golden.js'

/** Three columns (red, green, blue), two rows, the lower one darker. */
const COLUMNS = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 0, 0, 0, 128, 0, 0, 0, 128)
const columns = () => sharp(COLUMNS, { raw: { width: 3, height: 2, channels: 3 } })
const flat = (red: number, green: number, blue: number, alpha = 1) =>
  sharp({ create: { width: 16, height: 16, channels: 4, background: { r: red, g: green, b: blue, alpha } } })
const firstPixel = async (bytes: Uint8Array) => [...(await decodeImage(bytes)).data.subarray(0, 3)]

async function errorOf(bytes: Uint8Array, options: Parameters<typeof decodeImage>[1] = {}): Promise<StreamError> {
  const error: unknown = await decodeImage(bytes, options).catch((reason: unknown) => reason)
  if (error instanceof StreamError) return error
  throw new Error('It was not refused with a coded error.')
}

describe('decodeImage', () => {
  test.each([
    ['PNG', () => columns().png()],
    ['PNG with a palette', () => columns().png({ palette: true })],
    ['lossless WebP', () => columns().webp({ lossless: true })],
  ])('gives the pixels of a %s to the bit, as RGB', async (_, make) => {
    expect(await decodeImage(await make().toBuffer())).toMatchObject({ width: 3, height: 2, data: Buffer.from(COLUMNS) })
  })

  test('gives the pixels of a JPEG, close to what they were', async () => {
    const bytes = await flat(200, 100, 50).jpeg({ quality: 95 }).toBuffer()
    const pixel = await firstPixel(bytes)
    const isClose = [200, 100, 50].every((level, channel) => Math.abs((pixel[channel] ?? NaN) - level) <= 2)
    expect(isClose).toBe(true)
  })

  test('turns a picture as its EXIF orientation says', async () => {
    const bytes = await columns().withMetadata({ orientation: 6 }).png().toBuffer()
    const { width, height, data } = await decodeImage(bytes)
    expect([width, height]).toEqual([2, 3])
    // A quarter turn to the right: the lower row is the left column.
    expect([...data.subarray(0, 6)]).toEqual([128, 0, 0, 255, 0, 0])
  })

  test('lays what is transparent on black', async () => {
    expect(await firstPixel(await flat(200, 100, 50, 0.5).png().toBuffer())).toEqual([100, 50, 25])
    expect(await firstPixel(await flat(200, 100, 50, 0).webp({ lossless: true }).toBuffer())).toEqual([0, 0, 0])
  })

  test('brings grey and 16 bits to RGB of 8 bits', async () => {
    const grey = await sharp(Uint8Array.of(7, 200), { raw: { width: 2, height: 1, channels: 1 } }).toColourspace('b-w').png().toBuffer()
    expect((await sharp(grey).metadata()).channels).toBe(1)
    expect([...(await decodeImage(grey)).data]).toEqual([7, 7, 7, 200, 200, 200])

    const raw = { width: 2, height: 1, channels: 3 } as const
    const deep = await sharp(Uint16Array.of(0, 0x8000, 0xffff, 0x0100, 0x7fff, 0xff00), { raw }).toColourspace('rgb16').png().toBuffer()
    expect((await sharp(deep).metadata()).depth).toBe('ushort')
    expect([...(await decodeImage(deep)).data]).toEqual([0, 0x80, 0xff, 1, 0x7f, 0xff])
  })

  test('brings another colour profile and CMYK to sRGB', async () => {
    const wide = await flat(200, 50, 50).removeAlpha().withIccProfile('p3').png().toBuffer()
    const [stored = 0] = await sharp(wide, { ignoreIcc: true }).raw().toBuffer()
    const [red = 0] = await firstPixel(wide)
    expect(Math.abs(stored - 200)).toBeGreaterThan(5)
    expect(Math.abs(red - 200)).toBeLessThanOrEqual(1)

    const cmyk = await flat(255, 255, 255).removeAlpha().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk')
    const { data } = await decodeImage(cmyk)
    expect(data).toHaveLength(16 * 16 * 3)
    expect(Math.min(...data)).toBeGreaterThan(245)
  })

  describe('of stored colours', () => {
    const golden = readGolden('pictures.safetensors')
    const names = [...golden.keys()].filter((key) => key.startsWith('file.')).map((key) => key.replace('file.', ''))

    test.each(names)('gives %s to the bit as Pillow\'s convert("RGB")', async (name) => {
      const { data: expected, shape: [height, width] } = goldenTensor(golden, `rgb.${name}`)
      const bytes = Uint8Array.from(goldenTensor(golden, `file.${name}`).data)
      const decoded = await decodeImage(bytes, { colours: 'stored', orient: false })
      expect([decoded.width, decoded.height]).toEqual([width, height])
      expect(Buffer.compare(decoded.data, Buffer.from(expected))).toBe(0)
    })

    test('passes a colour profile over', async () => {
      const wide = await flat(200, 50, 50).removeAlpha().withIccProfile('p3').png().toBuffer()
      const [stored] = (await decodeImage(wide, { colours: 'stored' })).data
      expect(stored).toBe((await sharp(wide, { ignoreIcc: true }).raw().toBuffer())[0])
      expect(stored).not.toBe((await decodeImage(wide)).data[0])
    })

    test('turns a picture unless it is told not to', async () => {
      const bytes = await columns().withMetadata({ orientation: 6 }).png().toBuffer()
      expect(await decodeImage(bytes, { colours: 'stored' })).toMatchObject({ width: 2, height: 3 })
      expect(await decodeImage(bytes, { colours: 'stored', orient: false })).toMatchObject({ width: 3, height: 2 })
    })
  })

  test('takes the first picture of an animation', async () => {
    const frames = Buffer.concat([Buffer.alloc(12, 10), Buffer.alloc(12, 200)])
    const bytes = await sharp(frames, { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } }).webp({ lossless: true }).toBuffer()
    expect((await sharp(bytes).metadata()).pages).toBe(2)
    expect(await decodeImage(bytes)).toMatchObject({ width: 2, height: 2, data: Buffer.alloc(12, 10) })
  })

  test('refuses a picture of too many pixels by its header', async () => {
    const bytes = await flat(1, 2, 3).png().toBuffer()
    expect(await errorOf(bytes, { maxPixels: 255, what: 'Message 7' })).toMatchObject({
      ...{ code: 'FRAME_TOO_LARGE', canRetry: false },
      message: 'Message 7 has more than 255 pixels. Send a smaller one.',
    })
    await expect(decodeImage(bytes, { maxPixels: 256 })).resolves.toMatchObject({ width: 16 })
    // 30,000 x 30,000 pixels by its header, in less than a hundred bytes.
    const bomb = Buffer.from(await columns().png().toBuffer())
    bomb.writeUInt32BE(30_000, 16)
    bomb.writeUInt32BE(30_000, 20)
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
    expect((await errorOf(bomb)).code).toBe('FRAME_TOO_LARGE')
  })

  test.each<[string, () => Promise<Uint8Array>]>([
    ['no bytes', () => Promise.resolve(new Uint8Array())],
    ['text', () => Promise.resolve(Buffer.from('no picture'))],
    ['a GIF', () => columns().gif().toBuffer()],
    ['a TIFF', () => columns().tiff().toBuffer()],
    ['an SVG', () => Promise.resolve(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'))],
    ['a JPEG without its end', async () => (await flat(1, 2, 3).resize(400, 400).jpeg().toBuffer()).subarray(0, 700)],
    ['a PNG without its end', async () => (await columns().png().toBuffer()).subarray(0, 50)],
    ['the beginning of a WebP', () => Promise.resolve(Buffer.from('RIFF\x04\0\0\0WEBP', 'latin1'))],
  ])('refuses %s', async (_, make) => {
    const error = await errorOf(await make())
    expect(error).toMatchObject({ code: 'FRAME_UNREADABLE', canRetry: false })
    expect(error.message).toMatch(/^The picture (is no JPEG, PNG or WebP picture\. Send one of these|can't be decoded: [^\n]*[^.:])\.$/)
  })

  test('refuses whatever bytes come, or gives a whole picture', async () => {
    const magic = fc.constantFrom([0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], [...Buffer.from('RIFF\0\0\0\0WEBPVP8 ')], [])
    const good = await columns().png().toBuffer()
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([place, byte]) => good.map((old, at) => (at === place ? byte : old)))
    const bytes = fc.oneof(fc.tuple(magic, fc.uint8Array()).map(([first, rest]) => Uint8Array.of(...first, ...rest)), damaged)
    await fc.assert(
      fc.asyncProperty(bytes, async (given) => {
        const found: unknown = await decodeImage(given, { maxPixels: 10_000 }).catch((error: unknown) => error)
        if (found instanceof StreamError) expect(['FRAME_UNREADABLE', 'FRAME_TOO_LARGE']).toContain(found.code)
        else {
          const { width, height, data } = found as Awaited<ReturnType<typeof decodeImage>>
          expect(data).toHaveLength(width * height * 3)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('encodeJpeg', () => {
  test('gives a JPEG with colour at full resolution, close to the picture', async () => {
    const bytes = await encodeJpeg({ width: 3, height: 2, data: COLUMNS }, { quality: 100 })
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', chromaSubsampling: '4:4:4', width: 3, height: 2 })
    const { data } = await decodeImage(bytes)
    const furthest = Math.max(...data.map((level, place) => Math.abs(level - (COLUMNS[place] ?? 0))))
    expect(furthest).toBeLessThanOrEqual(6)
  })

  test('takes fewer bytes for less quality', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, place) => (place * 7919) % 251)
    const lengthAt = async (quality?: number) =>
      (await encodeJpeg({ width: 64, height: 64, data: noise }, quality === undefined ? {} : { quality })).length
    expect(await lengthAt(30)).toBeLessThan(await lengthAt())
    expect(await lengthAt(90)).toBe(await lengthAt())
  })

  test.each([
    ['a quality of 0', COLUMNS, 0],
    ['a quality of 101', COLUMNS, 101],
    ['too few bytes', COLUMNS.subarray(1), 90],
  ])('refuses %s', async (_, data, quality) => {
    await expect(encodeJpeg({ width: 3, height: 2, data }, { quality })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })
})
