import { StreamError } from '../errors.js'

/** What is wrong and what a user can do, for the errors that files and pipes commonly meet. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist. Create it, or name another path',
  ENOTDIR: 'a part of its path is not a directory. Name another path',
  EISDIR: 'it is a directory. Name a file',
  EACCES: 'this user may not write there. Change the permissions, or name another path',
  EROFS: 'the file system is read-only. Name another path',
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'the quota of the disk is used up. Free some space',
  EPIPE: 'its reader has gone',
}

/**
 * The error of a sink that could not do its work: what, why, what to do.
 *
 * @param what What could not be done, without a full stop.
 * @param cause The error that was met.
 */
export function sinkFailed(what: string, cause: unknown): StreamError {
  const code = codeOf(cause)
  const detail = cause instanceof Error ? cause.message : String(cause)
  const advice = code === undefined ? undefined : ADVICE[code]
  const reason = advice === undefined ? detail : `${advice} (${code})`
  return new StreamError('SINK_FAILED', `${what}: ${reason}.`, { cause })
}

/** Whether the error is a system error of this code. */
export function hasCode(error: unknown, code: string): boolean {
  return codeOf(error) === code
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
