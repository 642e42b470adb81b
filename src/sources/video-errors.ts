import { stat } from 'node:fs/promises'

import { StreamError } from '../errors.js'
import type { FfmpegEnd } from './ffmpeg.js'

/**
 * Checks what can be told of a video file without opening it.
 *
 * @throws {StreamError} `VIDEO_NOT_FOUND`, `VIDEO_NOT_A_FILE`, `VIDEO_EMPTY`, or `VIDEO_UNREADABLE` where the
 * system won't even say what is there.
 */
export async function expectVideoFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new StreamError('VIDEO_NOT_FOUND', `There is no file ${path}. Check its path.`, { cause: error })
    }
    throw new StreamError('VIDEO_UNREADABLE', `${path} can't be looked at (${code ?? 'unknown'}).`, { cause: error })
  })
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a directory' : 'a device or a pipe'
    throw new StreamError('VIDEO_NOT_A_FILE', `${path} is ${kind}. Name one video file.`)
  }
  if (found.size === 0) {
    throw new StreamError('VIDEO_EMPTY', `${path} has no bytes. Was it copied or downloaded to its end?`)
  }
}

/** What ffmpeg says, and what that means; the first that fits counts. */
const COMPLAINTS = [
  {
    pattern: /Permission denied/,
    code: 'VIDEO_UNREADABLE',
    meaning: "can't be opened: permission denied. Give this user the right to read it",
  },
  {
    pattern: /matches no streams/,
    code: 'VIDEO_NO_TRACK',
    meaning: 'has no video track (sound alone, perhaps). Name a file with pictures',
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
    meaning: 'is no video that ffmpeg knows. Check that it is a video file, whole and not encrypted',
  },
  {
    pattern: /moov atom not found/,
    code: 'VIDEO_DAMAGED',
    meaning: 'was cut off before its index (moov): no picture can be found in it. Get the whole file',
  },
] as const

/** The error for a file of which no picture could be listed. */
export function listingError(path: string, end: FfmpegEnd): StreamError {
  const text = end.lastLines.join('\n')
  const complaint = COMPLAINTS.find(({ pattern }) => pattern.test(text))
  if (complaint !== undefined) return new StreamError(complaint.code, `${path} ${complaint.meaning}.`)
  if (end.exitCode === undefined) return killedError(path, end)
  if (end.exitCode === 0) return noPicturesError(path)
  return new StreamError('VIDEO_UNREADABLE', `ffmpeg can't read ${path}: ${lastComplaint(end)}.`)
}

/** The error for a video without one picture that can be had. */
export function noPicturesError(path: string): StreamError {
  return new StreamError(
    'VIDEO_NO_FRAMES',
    `${path} has a video track, but not one picture of it can be read. Is the file cut off or damaged?`,
  )
}

/** The error for a decoder that died, as opposed to one that met damaged data. */
export function killedError(path: string, end: FfmpegEnd): StreamError {
  return new StreamError('VIDEO_DECODER_FAILED', `ffmpeg died while it read ${path}: ${lastComplaint(end)}.`)
}

/** What ffmpeg said last, without its prefixes. */
export function lastComplaint({ lastLines }: FfmpegEnd): string {
  const errors = lastLines.filter((line) => /\[(?:error|fatal|panic)\]/.test(line))
  const [last] = errors.slice(-1)
  if (last === undefined) return 'it gave no reason'
  return last.replace(/^.*\[(?:error|fatal|panic)\]\s*/, '').replace(/\.$/, '')
}
