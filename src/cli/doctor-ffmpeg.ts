import { StreamError } from '../errors.js'
import { findFfmpeg } from '../sources/decoding/ffmpeg-binary.js'
import { outputOf } from './doctor-output.js'

/** The ffmpeg that videos are read with. */
export type FfmpegReport =
  | {
      readonly isThere: true
      readonly path: string
      readonly version: string
      /** Methods of hardware decoding it was built with; whether a device answers is another matter. */
      readonly hwaccels: readonly string[]
    }
  | { readonly isThere: false; readonly code: 'FFMPEG_NOT_FOUND' | 'FFMPEG_TOO_OLD'; readonly reason: string }

/** Looks at the ffmpeg that would be used. */
export async function lookAtFfmpeg(find: () => string = findFfmpeg): Promise<FfmpegReport> {
  let path: string
  try {
    path = find()
  } catch (error) {
    return { isThere: false, code: 'FFMPEG_NOT_FOUND', reason: error instanceof StreamError ? error.message : String(error) }
  }
  const [version, hwaccels, help] = await Promise.all(
    [['-version'], ['-hwaccels'], ['-h', 'long']].map((words) => outputOf(path, ['-hide_banner', ...words])),
  )
  if (version === undefined) return { isThere: false, code: 'FFMPEG_NOT_FOUND', reason: `${path} can't be run.` }
  if (help?.includes('-fps_mode') !== true) return { isThere: false, code: 'FFMPEG_TOO_OLD', reason: tooOld(path, version) }
  return { isThere: true, path, version: ffmpegVersion(version), hwaccels: hwaccelNames(hwaccels ?? '') }
}

function tooOld(path: string, version: string): string {
  return `${path} is ${ffmpegVersion(version)}, which lacks options that came with 5.1. Set FFMPEG_PATH to a newer one.`
}

/** From what `ffmpeg -version` prints. */
export function ffmpegVersion(text: string): string {
  return /^ffmpeg version (\S+)/.exec(text)?.[1] ?? 'of an unknown version'
}

/** From what `ffmpeg -hwaccels` prints: a heading, then a name a line. */
export function hwaccelNames(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => /^\w+$/.test(line))
}
