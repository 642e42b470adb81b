import { readFile, stat } from 'node:fs/promises'

import { defer, from } from 'rxjs'
import { z } from 'zod'

import { StreamError, throwIfAborted } from '../errors.js'
import { type RgbImage, decodeImage } from '../image-codec.js'
import { createLedger } from '../ledger.js'
import { checkSettings } from '../settings.js'
import type { Question, StreamInfo } from '../types.js'
import type { LendVideo } from './decoding/file-stream.js'
import { type Picture, pacedFrames } from './decoding/paced-frames.js'
import { expectVideoFile } from './decoding/video-errors.js'
import { type LentFile, lentFile } from './remote-file.js'
import { type Download, type DownloadOptions, downloadSchema } from './remote-file/settings.js'
import type { FrameStream, Source } from './source.js'

/** Settings of every source that reads pictures from files. */
export interface ImageReadingOptions {
  /**
   * Whether a picture is turned as its EXIF orientation says. The models' original code never does it, and sees a
   * photo that a phone took upright lying on its side.
   *
   * @default true
   */
  readonly orient?: boolean
  /**
   * Most pixels of a picture; it takes 3 bytes a pixel.
   *
   * @default 67108864 (8192 x 8192)
   */
  readonly maxPixels?: number
  /**
   * Questions about the pictures; they override the pipeline's.
   *
   * @default none
   */
  readonly questions?: readonly Question[]
}

/** Settings of `image`. */
export interface ImageOptions extends ImageReadingOptions {
  /**
   * Name of the source, and of the stream where there is one picture: part of every answer's id. The streams of several
   * are then called `id/name`.
   *
   * @default the file's name without its folder or host
   */
  readonly id?: string
  /** How the picture behind an http(s) address is fetched; `maxBytes` is 268435456 (256 MiB) by default, and at most. */
  readonly download?: DownloadOptions
}

/** Most bytes of a picture's file: it is read into memory whole. */
export const MOST_IMAGE_BYTES = 2 ** 28

const optionsSchema = z.strictObject({
  orient: z.boolean().default(true),
  maxPixels: z.int().min(1).optional(),
  questions: z.array(z.string().trim().min(1)).optional(),
  id: z.string().trim().min(1).optional(),
  download: downloadSchema.extend({ maxBytes: z.int().min(1).max(MOST_IMAGE_BYTES).default(MOST_IMAGE_BYTES) }).prefault({}),
})

/**
 * Reads pictures from JPEG, PNG or WebP files, or from http(s) addresses, each a stream of its own with one frame: a clip
 * of one frame.
 *
 * Pixels are those that Pillow's `convert('RGB')` gives the models' original code (transparency and colour profiles are
 * passed over, of an animation the first picture is taken), but turned as EXIF says unless `orient` is false. A model
 * sees them as pictures and not as a video's frames: laid on a square where its `image_aspect_ratio` is `pad`.
 *
 * A stream's frames error with `VIDEO_NOT_FOUND`, `VIDEO_NOT_A_FILE`, `VIDEO_EMPTY`, `VIDEO_UNREADABLE`, `VIDEO_TOO_LARGE`
 * (more than 256 MiB; what is said of the file, whatever it holds), `FRAME_UNREADABLE` (it holds no such picture, or a
 * damaged one) or `FRAME_TOO_LARGE` (pixels); those of an address also with `VIDEO_DOWNLOAD_FAILED` or `ADDRESS_NOT_ALLOWED`.
 *
 * @example
 * ```ts
 * image('photo.jpg', { questions: ['Where is this?'] })
 * image(['front.png', 'back.png'], { id: 'parcel-17' })
 * ```
 * @param path Path of one file or paths of several, from the current folder if they aren't absolute; or http(s) addresses.
 * @throws {StreamError} `SETTING_INVALID`: also where two of the files have one name.
 */
export function image(path: string | URL | readonly (string | URL)[], options: ImageOptions = {}): Source {
  const { id, download, ...reading } = checkSettings('image', optionsSchema, options)
  const files = expectFiles(path, download)
  const [first, ...others] = files
  const isOne = others.length === 0
  const idOf = ({ name }: LentFile): string => (isOne ? (id ?? name) : `${id === undefined ? '' : `${id}/`}${name}`)
  expectDifferent(files.map(idOf))
  return {
    kind: 'image',
    id: id ?? (isOne ? first.name : 'images'),
    streams: defer(() => from(files.map((file) => imageStream(file.lend, { ...reading, id: idOf(file), kind: 'image' })))),
  }
}

/** Who the stream of a picture is, and how it is read. */
export interface ImageStreamSettings {
  readonly id: string
  /** The kind of the source. */
  readonly kind: string
  /** @default 0 */
  readonly epoch?: number
  /** @default true */
  readonly orient?: boolean | undefined
  readonly maxPixels?: number | undefined
  readonly questions?: readonly Question[] | undefined
}

/** Makes the stream of one picture, as `image` describes it. Opens nothing before the subscription. */
export function imageStream(lend: LendVideo, { id, kind, epoch = 0, questions, ...reading }: ImageStreamSettings): FrameStream {
  const info: StreamInfo = {
    ...{ id, epoch, kind, isLive: false, ledger: createLedger() },
    ...(questions === undefined ? {} : { questions }),
    health: () => ({ coverage: 1, warnings: [] }),
  }
  // More room than there are frames: the end doesn't wait for the one to be settled.
  return { info, frames: pacedFrames(info, { maxFramesInFlight: 2 }, (signal) => lend((path) => readImage(path, reading, signal), signal)) }
}

async function* readImage(path: string, reading: ReadSettings, signal: AbortSignal): AsyncGenerator<Picture> {
  const { width, height, data } = await decodeImageFile(path, reading, signal)
  // Not a piece of a larger buffer, which would go to the model's thread with it.
  yield { index: 0, ptsMs: 0, width, height, data: data.byteLength === data.buffer.byteLength ? data : new Uint8Array(data), kind: 'picture' }
}

type ReadSettings = Pick<ImageStreamSettings, 'orient' | 'maxPixels'>

/** Reads and decodes a picture as `image` does it; throws what its streams error with. */
export async function decodeImageFile(
  path: string,
  { orient = true, maxPixels }: ReadSettings = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<RgbImage> {
  await expectVideoFile(path)
  const bytes = await readWhole(path, signal).catch((error: unknown) => {
    if (error instanceof StreamError) throw error
    throwIfAborted(signal, `Reading ${path}`)
    throw new StreamError('VIDEO_UNREADABLE', `${path} can't be read (${String(error)}).`, { cause: error })
  })
  const limits = maxPixels === undefined ? {} : { maxPixels }
  return decodeImage(bytes, { ...limits, orient, colours: 'stored', what: path })
}

async function readWhole(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const { size } = await stat(path)
  if (size <= MOST_IMAGE_BYTES) return readFile(path, { signal })
  throw new StreamError('VIDEO_TOO_LARGE', `${path} has ${size} bytes; a picture may have ${MOST_IMAGE_BYTES}. Name a smaller one.`)
}

function expectFiles(path: unknown, download: Download): readonly [LentFile, ...LentFile[]] {
  const paths: readonly unknown[] = Array.isArray(path) ? path : [path]
  const [first, ...others] = paths.map((file) => lentFile(file, { ...download, mostBytes: MOST_IMAGE_BYTES }))
  if (first !== undefined) return [first, ...others]
  throw new StreamError('SETTING_INVALID', 'Expected `path` to name at least one picture, got an empty list.')
}

function expectDifferent(names: readonly string[]): void {
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice === undefined) return
  const message = `Two of the pictures are called ${twice}, and nobody could tell their answers apart. Read each by an \`image\` with an \`id\`.`
  throw new StreamError('SETTING_INVALID', message)
}
