import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

import { type Observable, concatMap, defer, from, map } from 'rxjs'
import { z } from 'zod'

import { expectText } from '../checks.js'
import { StreamError } from '../errors.js'
import { checkSettings } from '../settings.js'
import { VIDEO_EXTENSIONS, listVideos, unreadable } from './directory/files.js'
import type { FinishedFile } from './directory/settling.js'
import { finishedVideos } from './directory/watch.js'
import type { LendVideo, VideoReading, VideoReadingOptions } from './decoding/file-stream.js'
import { fileStream, localVideo, videoReadingFields } from './decoding/file-stream.js'
import { imageStream } from './image.js'
import { isImageName } from './image/image-name.js'
import type { FrameStream, Source } from './source.js'
import { expectNoAddress } from './decoding/video-errors.js'

/** Settings of `directory`. */
export interface DirectoryOptions extends VideoReadingOptions {
  /**
   * Name of the source. Give one where two folders hold videos of the same names: the streams are then called
   * `id/path` and not just `path`.
   *
   * @default the folder's name
   */
  readonly id?: string
  /**
   * Whether to go on with videos that come later, without end.
   *
   * @default false
   */
  readonly watch?: boolean
  /**
   * Milliseconds that a watched video must stay as it is before it counts as finished. Raise it for writers that pause.
   *
   * @default 2000
   */
  readonly settleMs?: number
  /**
   * Whether folders inside are read, too. Hidden ones never are.
   *
   * @default true
   */
  readonly recursive?: boolean
  /**
   * Extensions of videos, in any case, with or without a dot. Files called `.jpg`, `.jpeg`, `.png` and `.webp` are read as
   * pictures, each a stream of one frame as by `image`; they are left out by default.
   *
   * @default mp4, m4v, mov, mkv, webm, avi, ts, mts, m2ts, mpg, mpeg, flv, wmv, asf, ogv, 3gp, mxf
   */
  readonly extensions?: readonly string[]
}

const directorySchema = z.strictObject({
  ...videoReadingFields,
  id: z.string().trim().min(1).optional(),
  watch: z.boolean().default(false),
  settleMs: z.number().min(1).max(86_400_000).default(2000),
  recursive: z.boolean().default(true),
  extensions: z
    .array(z.string().regex(/^\.?\w+$/, 'expected an extension such as `mp4`'))
    .min(1)
    .transform((extensions) => extensions.map((extension) => `.${extension.replace('.', '').toLowerCase()}`))
    .default([...VIDEO_EXTENSIONS]),
})

/**
 * Reads every video of a folder, sorted by name, each a stream of its own as by `file`; with `watch` also those
 * that come later, each as soon as it is finished and not half-written.
 *
 * Streams are named by their path from the folder. Hidden files and folders, and links to folders, are left out.
 * A video that waits for its turn is not open, and takes about 5 KB of memory.
 *
 * Without `watch`, a video that fails is the pipeline's failure, as by `file`. With it, what is wrong with a video
 * (`VIDEO_*`, `FRAME_*`) is the end of that stream alone: somebody will drop a broken file into the folder one day.
 *
 * A watched video's epoch is the time its content was last changed, in milliseconds, so that a video of the same
 * name with new content has answer ids of its own, and the same video after a restart the same ids as before.
 *
 * `streams` errors with `DIRECTORY_UNREADABLE`.
 *
 * @example
 * ```ts
 * directory('/data/incoming', { watch: true, sampling: uniform(16) })
 * ```
 * @param path Path of the folder, from the current folder if it isn't absolute.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function directory(path: string, options: DirectoryOptions = {}): Source {
  const settings = checkSettings('directory', directorySchema, options)
  const { id, watch, settleMs, recursive, extensions, ...reading } = settings
  expectNoAddress(path)
  const folder = resolve(expectText('path', path))
  const prefix = id === undefined ? '' : `${id}/`
  const streamOf = (file: FinishedFile, isWatched: boolean) =>
    videoStream({ ...{ folder, file, isWatched }, id: `${prefix}${file.name}`, reading })

  return {
    kind: 'directory',
    id: id ?? basename(folder),
    streams: defer(() => expectFolder(folder)).pipe(
      concatMap((): Observable<FrameStream> => {
        const files = { folder, recursive, extensions }
        if (watch) return finishedVideos({ ...files, settleMs }).pipe(map((file) => streamOf(file, true)))
        const streamsOf = (names: readonly string[]) => names.map((name) => streamOf({ name, modifiedMs: 0 }, false))
        return from(listVideos(files)).pipe(concatMap(streamsOf))
      }),
    ),
  }
}

interface DirectoryVideo {
  readonly folder: string
  readonly file: FinishedFile
  readonly isWatched: boolean
  readonly id: string
  readonly reading: VideoReading
}

function videoStream({ folder, file: { name, modifiedMs }, isWatched, id, reading }: DirectoryVideo): FrameStream {
  const path = join(folder, name)
  const identity = { id, kind: 'directory', questions: reading.questions }
  const streamOf = (lend: LendVideo, epoch: number): FrameStream =>
    isImageName(name) ? imageStream(lend, { ...identity, epoch }) : fileStream(lend, { ...reading, ...identity, epoch })
  if (!isWatched) return streamOf(localVideo(path), 0)
  const lend = checkedVideo(path, () => expectUnchanged(path, modifiedMs))
  return { ...streamOf(lend, Math.max(0, Math.floor(modifiedMs))), handles: isOfOneVideo }
}

/** Whether an error says something of one video or picture, not of the machine all are read on. */
function isOfOneVideo(error: unknown): boolean {
  return error instanceof StreamError && /^(VIDEO|FRAME)_/.test(error.code)
}

function checkedVideo(path: string, check: () => Promise<void>): LendVideo {
  return async function* (read) {
    await check()
    yield* read(path)
  }
}

/** A file may be replaced while it waits: then it is another video, and comes as a stream of its own. */
async function expectUnchanged(path: string, modifiedMs: number): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || found.mtimeMs === modifiedMs) return
  throw new StreamError('VIDEO_NOT_FOUND', `${path} was changed before its turn came. What is there now comes by itself.`)
}

async function expectFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
  if (!found.isDirectory()) throw unreadable(folder, 'it is no folder; `file` reads a single video')
}
