import { StreamError } from '../errors.js'
import type { StreamInfo } from '../types.js'

/** The error of a clip that would hold more frames than it may. */
export function tooManyFrames(stream: StreamInfo, what: string, maxFrames: number): StreamError {
  return new StreamError(
    'CLIP_TOO_LONG',
    `${what} of the stream "${stream.id}" holds more than ${maxFrames} frames. ` +
      'Take fewer with `sampling` (`uniform`, `uniformPerSecond`, `byFps`), or raise `maxFrames`.',
  )
}
