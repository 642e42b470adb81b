import type { Sharp } from 'sharp'

import { expectInteger } from './checks.js'
import { StreamError } from './errors.js'
import { loadSharp } from './load-sharp.js'

/** A picture in RGB. */
export interface RgbImage {
  readonly width: number
  readonly height: number
  /** 8 bits a channel, row by row without padding: `height * width * 3` bytes. */
  readonly data: Uint8Array
}

/** How a picture is decoded. */
export interface DecodeImageOptions {
  /**
   * Most pixels; more are refused by the picture's header, before any memory is taken for them.
   *
   * @default 67108864 (8192 x 8192)
   */
  readonly maxPixels?: number
  /**
   * Whether the picture is turned as its EXIF orientation says.
   *
   * @default true
   */
  readonly orient?: boolean
  /**
   * `shown`: as viewers show them, in sRGB by the picture's colour profile, what is transparent on black. `stored`: as
   * they lie in the file, which is how Pillow's `convert('RGB')` gives them to the models' original code: without profile
   * and transparency.
   *
   * @default 'shown'
   */
  readonly colours?: 'shown' | 'stored'
  /**
   * How messages call the picture.
   *
   * @default 'The picture'
   */
  readonly what?: string
}

const MAX_PIXELS = 8192 * 8192

/**
 * Decodes a JPEG, PNG or WebP picture, told apart by their first bytes and by nothing that is said about them.
 *
 * As viewers show it, unless the options say otherwise: turned as its EXIF orientation says, in sRGB (by its colour
 * profile, CMYK, grey and 16 bits included). What is transparent is laid on black; of an animation the first picture is
 * taken.
 *
 * The same to the bit as Pillow 13 decodes it: JPEG of any subsampling, PNG and WebP, 31 pictures compared. Only CMYK
 * differs (by up to 134 of 255: it is converted by its profile), unless the colours are `stored`, and 16 bits of grey,
 * which Pillow cuts off at 255. ffmpeg decodes a JPEG with colour at full
 * resolution up to 3 levels off; with less (4:2:0) 1 level on average and up to 55 at coloured edges of a photo.
 *
 * @throws {StreamError} `FRAME_UNREADABLE`, `FRAME_TOO_LARGE`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<RgbImage> {
  const { maxPixels = MAX_PIXELS, what = 'The picture', orient = true, colours = 'shown' } = options
  if (!isKnownFormat(bytes)) {
    throw new StreamError('FRAME_UNREADABLE', `${what} is no JPEG, PNG or WebP picture. Send one of these.`)
  }
  const sharp = await loadSharp()
  try {
    const ignoreIcc = colours === 'stored'
    const image = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true, autoOrient: orient, ignoreIcc })
    return await (colours === 'stored' ? storedColours(image) : shownColours(image))
  } catch (error) {
    throw decodeError(error, { what, maxPixels })
  }
}

const shownColours = (image: Sharp): Promise<RgbImage> =>
  rawPixels(image.toColourspace('srgb').flatten({ background: '#000' }).removeAlpha())

async function storedColours(image: Sharp): Promise<RgbImage> {
  const { space } = await image.metadata()
  if (space !== 'cmyk') return rawPixels(image.toColourspace('srgb').removeAlpha())
  const { data, ...size } = await rawPixels(image.pipelineColourspace('cmyk').toColourspace('cmyk'))
  return { ...size, data: cmykToRgb(data) }
}

async function rawPixels(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

/** Each ink takes its share of what black leaves: Pillow's way (`cmyk2rgb` in its `Convert.c`), without a profile. */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: (cmyk.length / 4) * 3 }, (_, index) => {
    const pixel = Math.floor(index / 3) * 4
    const light = 255 - (cmyk[pixel + 3] ?? 0)
    return light - Math.round(((cmyk[pixel + (index % 3)] ?? 0) * light) / 255)
  })
}

/** How a picture is encoded. */
export interface EncodeJpegOptions {
  /**
   * From 1 to 100.
   *
   * @default 90
   */
  readonly quality?: number
}

/**
 * Encodes a picture as JPEG, with colour at full resolution (4:4:4), so that text stays readable.
 *
 * @throws {StreamError} `SETTING_INVALID`: the quality, or data of another length than the size says.
 */
export async function encodeJpeg({ width, height, data }: RgbImage, options: EncodeJpegOptions = {}): Promise<Uint8Array> {
  const quality = expectInteger('quality', options.quality ?? 90, 1, 100)
  expectInteger('data.length', data.length, width * height * 3, width * height * 3)
  const sharp = await loadSharp()
  return sharp(data, { raw: { width, height, channels: 3 } }).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
}

const JPEG = [0xff, 0xd8, 0xff]
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

function isKnownFormat(bytes: Uint8Array): boolean {
  const startsWith = (magic: readonly number[]): boolean => magic.every((byte, place) => bytes[place] === byte)
  return startsWith(JPEG) || startsWith(PNG) || isWebp(bytes)
}

/** `RIFF`, the length, `WEBP`. */
function isWebp(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  return text.startsWith('RIFF') && text.endsWith('WEBP')
}

function decodeError(error: unknown, { what, maxPixels }: { what: string; maxPixels: number }): StreamError {
  const text = error instanceof Error ? error.message : String(error)
  const reason = text.replace(/\s+/g, ' ').slice(0, 200).replace(/[:.\s]+$/, '')
  if (reason.includes('exceeds pixel limit')) {
    const message = `${what} has more than ${maxPixels} pixels. Send a smaller one.`
    return new StreamError('FRAME_TOO_LARGE', message, { cause: error })
  }
  return new StreamError('FRAME_UNREADABLE', `${what} can't be decoded: ${reason}.`, { cause: error })
}
