import { stat } from 'node:fs/promises'

import { StreamError } from '../../errors.js'
import type { FfmpegEnd } from './ffmpeg.js'
import { findFfmpeg } from './ffmpeg-binary.js'
import { redactAddress } from '../redact.js'

/** What an address begins with, whatever its scheme. */
const ADDRESS = /^\s*[a-z][a-z0-9+.-]*:\/\//i

/**
 * Checks that a path is not an address. Before `path.resolve`, which folds the `//` and makes a path of it.
 *
 * @throws {StreamError} `SETTING_INVALID`, without the address's login and query.
 */
export function expectNoAddress(path: unknown): void {
  // An object of class URL would be shown whole by the check for text.
  const text = path instanceof URL ? path.href : path
  if (typeof text !== 'string' || !ADDRESS.test(text)) return
  const advice = /^\s*rtsps?:/i.test(text) ? 'a camera: use `rtsp(…)`' : 'no kind of address that is read as a video file'
  throw new StreamError('SETTING_INVALID', `${redactAddress(text)} is ${advice}. Name a path, or an http(s) address.`)
}

/**
 * Checks what can be told of a video file without opening it.
 *
 * An address that was taken for a path is shown without its login and query.
 *
 * @throws {StreamError} `VIDEO_NOT_FOUND`, `VIDEO_NOT_A_FILE`, `VIDEO_EMPTY`, `VIDEO_UNREADABLE` where the
 * system won't even say what is there, or `SETTING_INVALID` for an address.
 */
export async function expectVideoFile(path: string): Promise<void> {
  expectNoAddress(path)
  const shown = redactAddress(path)
  const found = await stat(path).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code
    // The system's own message holds the path as it is.
    const options = shown === path ? { cause: error } : {}
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new StreamError('VIDEO_NOT_FOUND', `There is no file ${shown}. Check its path.`, options)
    }
    throw new StreamError('VIDEO_UNREADABLE', `${shown} can't be looked at (${code ?? 'unknown'}).`, options)
  })
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a directory' : 'a device or a pipe'
    throw new StreamError('VIDEO_NOT_A_FILE', `${shown} is ${kind}. Name one video file.`)
  }
  if (found.size === 0) {
    throw new StreamError('VIDEO_EMPTY', `${shown} has no bytes. Was it copied or downloaded to its end?`)
  }
}

const NO_KNOWN_VIDEO = 'is no video that ffmpeg knows. Check that it is a video file, whole and not encrypted'

/** What ffmpeg says, and what that means; the first that fits counts. */
const COMPLAINTS = [
  {
    pattern: /Permission denied|Operation not permitted/,
    code: 'VIDEO_UNREADABLE',
    meaning: "can't be opened: permission denied. Give this user the right to read it",
  },
  {
    pattern: /matches no streams/,
    code: 'VIDEO_NO_TRACK',
    meaning: 'has no video track (sound alone, perhaps). Name a file with pictures',
  },
  {
    // The demuxers of single pictures: `image2`, `jpeg_pipe`, `png_pipe`, …
    pattern: /\[(?:image2|\w+_pipe) @ [^\]]*\] \[error\] Format not on whitelist/,
    code: 'VIDEO_FORMAT_REFUSED',
    meaning: "is a picture, or another format that isn't a video container. Name a video file",
  },
  {
    pattern: /Format not on whitelist|Not detecting m3u8/,
    code: 'VIDEO_FORMAT_REFUSED',
    meaning:
      'is a playlist, or another kind of file that can name other files and hosts, or no video. Such files ' +
      'are never followed. Name the video file itself',
  },
  {
    pattern: /detected only with low score/,
    code: 'VIDEO_UNREADABLE',
    meaning: NO_KNOWN_VIDEO,
  },
  {
    pattern: /moov atom not found/,
    code: 'VIDEO_DAMAGED',
    meaning: 'was cut off before its index (moov): no picture can be found in it. Get the whole file',
  },
  {
    // Said of the file as a whole, by ffmpeg 5 and 6 in the first way; packets have complaints of their own.
    pattern: /(?:\] file:.*|Error opening input): Invalid data found when processing input/,
    code: 'VIDEO_UNREADABLE',
    meaning: NO_KNOWN_VIDEO,
  },
] as const

/** The error for a file of which no picture could be listed. */
export function listingError(path: string, end: FfmpegEnd): StreamError {
  const text = end.lastLines.join('\n')
  const complaint = COMPLAINTS.find(({ pattern }) => pattern.test(text))
  if (complaint !== undefined) return new StreamError(complaint.code, `${path} ${complaint.meaning}.`)
  const failure = endError(path, end)
  if (failure !== undefined) return failure
  if (end.exitCode === 0) return noPicturesError(path)
  return new StreamError('VIDEO_UNREADABLE', `ffmpeg can't read ${path}: ${lastComplaint(end)}. Check that it plays.`)
}

/** The error for a video without one picture that can be had. */
export function noPicturesError(path: string): StreamError {
  return new StreamError(
    'VIDEO_NO_FRAMES',
    `${path} has a video track, but not one picture of it can be read. Is the file cut off or damaged?`,
  )
}

/** The error for a run that failed whatever the file is like; undefined where damaged data is all there may be. */
export function endError(path: string, end: FfmpegEnd): StreamError | undefined {
  if (isTooOld(end)) return tooOldError()
  return wasKilled(end) ? killedError(path, end) : undefined
}

/** The error for a decoder whose output ended inside a picture. */
export function brokenOffError(path: string, end: FfmpegEnd, cause: StreamError): StreamError {
  const failure = endError(path, end)
  if (failure !== undefined) return failure
  const message = `ffmpeg broke off in the middle of a picture of ${path}: ${lastComplaint(end)}.`
  return new StreamError('VIDEO_DECODER_FAILED', message, { cause })
}

const UNKNOWN_OPTION = /^(?:\[(?:error|fatal)\] )?(?:Unrecognized option '|Error splitting .*: Option not found)/

/** Whether ffmpeg didn't know one of our options, of which `-fps_mode` (5.1) is the newest. */
function isTooOld({ exitCode, lastLines }: FfmpegEnd): boolean {
  return exitCode !== 0 && lastLines.some((line) => UNKNOWN_OPTION.test(line))
}

function tooOldError(): StreamError {
  return new StreamError(
    'FFMPEG_TOO_OLD',
    `${findFfmpeg()} is too old: ffmpeg 5.1 or newer is needed. Set FFMPEG_PATH to one, or install ffmpeg-static.`,
  )
}

/** What ffmpeg says where it catches a signal, finishes its output and exits with 255. */
const RECEIVED_SIGNAL = /^(?:\[info\] )?Exiting normally, (received signal \d+)/

function wasKilled({ exitCode, lastLines }: FfmpegEnd): boolean {
  return exitCode === undefined || exitCode === 255 || lastLines.some((line) => RECEIVED_SIGNAL.test(line))
}

/** The error for a decoder that died or was ended, as opposed to one that met damaged data. */
function killedError(path: string, end: FfmpegEnd): StreamError {
  const [signal] = end.lastLines.flatMap((line) => RECEIVED_SIGNAL.exec(line)?.[1] ?? [])
  const message = `ffmpeg died while it read ${path}: ${signal ?? lastComplaint(end)}.`
  return new StreamError('VIDEO_DECODER_FAILED', message)
}

/** What ffmpeg said last, without its prefixes. */
export function lastComplaint({ lastLines }: FfmpegEnd): string {
  const errors = lastLines.filter((line) => /\[(?:error|fatal|panic)\]/.test(line))
  const [last] = errors.slice(-1)
  if (last === undefined) return 'it gave no reason'
  return last.replace(/^.*\[(?:error|fatal|panic)\]\s*/, '').replace(/\.$/, '')
}
