import { defer, of } from 'rxjs'

import { z } from 'zod'

import { checkSettings } from '../settings.js'
import type { VideoReadingOptions } from './decoding/file-stream.js'
import { fileStream, videoReadingFields } from './decoding/file-stream.js'
import { lentFile } from './remote-file.js'
import { type DownloadOptions, downloadSchema } from './remote-file/settings.js'
import type { Source } from './source.js'

/** Settings of `file`. */
export interface FileOptions extends VideoReadingOptions {
  /**
   * Name of the stream, part of every answer's id. Give one where two files have the same name.
   *
   * @default the file's name without its folder or host, so that moving a file doesn't change its answers
   */
  readonly id?: string
  /** How the file behind an http(s) address is fetched. */
  readonly download?: DownloadOptions
}

const optionsSchema = z.strictObject({
  ...videoReadingFields,
  id: z.string().trim().min(1).optional(),
  download: downloadSchema.prefault({}),
})

/**
 * Reads a video file of any container and codec that ffmpeg knows. One stream.
 *
 * Frames come with rotation applied, in RGB by the colour matrix and range the file is tagged with (BT.601,
 * limited, where it isn't), with time 0 at the first picture shown. They are exactly those of a full decode,
 * found by seeking where that is cheaper. The file can't make ffmpeg open other files or hosts.
 *
 * However many files are read, one decoder works for each core of the machine, or as many as the environment
 * variable `TINYLLAVA_STREAM_DECODERS` says; the others wait their turn.
 *
 * A file that is cut off after its index or damaged inside gives what can be had; `info.health()` then tells a
 * coverage below 1, with warnings. Its frames are spread over what is there.
 *
 * A file behind an **http(s) address** is fetched whole to a temporary file first, because exact frames want a
 * file that can be listed and sought in; it is removed when the stream ends, whichever way. A connection that
 * breaks is taken up where it broke. A login in the address is sent, and shown nowhere.
 *
 * The stream's frames error with `VIDEO_NOT_FOUND`, `VIDEO_NOT_A_FILE`, `VIDEO_EMPTY`, `VIDEO_UNREADABLE`,
 * `VIDEO_FORMAT_REFUSED`, `VIDEO_NO_TRACK`, `VIDEO_NO_FRAMES`, `VIDEO_DAMAGED`, `VIDEO_DECODER_FAILED`,
 * `FFMPEG_NOT_FOUND`, `FFMPEG_TOO_OLD` or `HWACCEL_UNAVAILABLE`; those of an address also with `VIDEO_DOWNLOAD_FAILED`,
 * `VIDEO_TOO_LARGE` or `ADDRESS_NOT_ALLOWED`.
 *
 * @example
 * ```ts
 * file('holiday.mp4', { sampling: uniform(16), questions: ['Where is this?'] })
 * file('https://videos.example.com/holiday.mp4', { download: { maxBytes: 100e6 } })
 * ```
 * @param path Path of the file, from the current folder if it isn't absolute; or an http(s) address.
 * @throws {StreamError} `SETTING_INVALID`: a setting is wrong, or the path is another address (`rtsp://…`).
 */
export function file(path: string | URL, options: FileOptions = {}): Source {
  const { id: givenId, download, ...reading } = checkSettings('file', optionsSchema, options)
  const { name, lend } = lentFile(path, download)
  const id = givenId ?? name
  return {
    kind: 'file',
    id,
    streams: defer(() => of(fileStream(lend, { ...reading, id, kind: 'file' }))),
  }
}
