/** Ticks a second of the times that ffmpeg complains about: the RTP clock of video, which is passed through. */
export const RTP_TICKS = 90_000

/** What a line of ffmpeg tells of a live stream while it runs. */
export type LiveSign = 'size-changed' | 'time-went-back' | 'redirected'

/** Reads one line of ffmpeg's stderr; undefined where it is about nothing that matters here. */
export function liveSignOf(line: string): LiveSign | undefined {
  if (/Changing video frame properties on the fly/i.test(line)) return 'size-changed'
  if (/\bStatus 3\d\d: Redirecting to /.test(line)) return 'redirected'
  return wentBack(line) ? 'time-went-back' : undefined
}

/**
 * ffmpeg writes no time that isn't after the one before: it makes one up and says so. A tick or two is the
 * rounding of cameras; a second is a clock that was set back.
 */
function wentBack(line: string): boolean {
  const [, previous, current] = /Non-monoton(?:ous|ic) DTS.*; previous: (-?\d+), current: (-?\d+);/.exec(line) ?? []
  return previous !== undefined && current !== undefined && Number(previous) - Number(current) > RTP_TICKS
}
