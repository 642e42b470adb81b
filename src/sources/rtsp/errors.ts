import { type ErrorCode, StreamError } from '../../errors.js'
import type { Exactness } from '../../sampling/sampling.js'
import type { FfmpegEnd } from '../decoding/ffmpeg.js'
import { endError, lastComplaint } from '../decoding/video-errors.js'

interface Complaint {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly meaning: string
}

/** What ffmpeg says when a connection can't be made or used, and what that means; the first that fits counts. */
const COMPLAINTS: readonly Complaint[] = [
  {
    pattern: /\b401 Unauthorized/,
    code: 'RTSP_UNAUTHORIZED',
    meaning: 'refused the login (401). Check user and password',
  },
  {
    pattern: /\b403 Forbidden/,
    code: 'RTSP_UNAUTHORIZED',
    meaning: 'forbids this user to look (403). Check its rights on the camera',
  },
  {
    pattern: /matches no streams|does not contain any stream/,
    code: 'RTSP_NO_VIDEO',
    meaning: 'has no video track (sound alone, perhaps). Name the path of a stream with pictures',
  },
  {
    pattern: /Decoder .*not found|no decoder found for/,
    code: 'RTSP_NO_VIDEO',
    meaning: "sends a video codec that ffmpeg can't decode. Set the camera to H.264 or H.265",
  },
  {
    pattern: /\b404 (?:Stream )?Not Found/i,
    code: 'RTSP_UNREACHABLE',
    meaning: 'has nothing at this path (404): not yet, or the path is wrong',
  },
  {
    pattern: /Failed to resolve hostname/,
    code: 'RTSP_UNREACHABLE',
    meaning: "has a name that can't be resolved. Check the host's name",
  },
  {
    pattern: /Connection refused/,
    code: 'RTSP_UNREACHABLE',
    meaning: 'refused the connection: nothing listens there. Check host and port, and that the camera is on',
  },
]

/**
 * The error for a connection that ended. ffmpeg's exit code says nothing (a killed server is 0), and a live
 * stream has no end: so every end is a failure, and its lines tell of which kind.
 *
 * @param shown The address without login and query.
 */
export function connectionError(shown: string, end: FfmpegEnd, hadPictures: boolean): StreamError {
  const failure = endError(shown, end)
  if (failure !== undefined) return failure
  if (hadPictures) return new StreamError('RTSP_DISCONNECTED', `${shown} ended the stream, or the connection broke.`)
  const text = end.lastLines.join('\n')
  const complaint = COMPLAINTS.find(({ pattern }) => pattern.test(text))
  if (complaint !== undefined) return new StreamError(complaint.code, `${shown} ${complaint.meaning}.`)
  return new StreamError('RTSP_UNREACHABLE', `${shown} gave no picture: ${lastComplaint(end)}.`)
}

/** The error of our own watchdog. */
export function silentError(shown: string, silentMs: number, { keyframesOnly = false }: Exactness = {}): StreamError {
  const idr =
    ' For `keyframesOnly` H.264 needs IDR keyframes: set the camera to send them (no open GOP, no intra-refresh), or ' +
    'leave `keyframesOnly` out.'
  return new StreamError(
    'RTSP_SILENT',
    `${shown} has sent no picture for ${silentMs / 1000} s. Where it sends keyframes more rarely, raise ` +
      `\`noFrameTimeoutMs\`.${keyframesOnly ? idr : ''}`,
  )
}

/** The error for a server that sends the reader elsewhere. */
export function redirectedError(shown: string): StreamError {
  return new StreamError(
    'RTSP_REDIRECTED',
    `${shown} redirects to another address, which is not followed: it may be anywhere. Name that address itself.`,
  )
}

/** Whether the server had nothing to play: it was asked for video alone, and that may be all there isn't. */
export function hasNothingToPlay({ lastLines }: FfmpegEnd): boolean {
  return lastLines.some((line) => /method PLAY failed: 4\d\d/.test(line))
}
