import { accessSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

import { StreamError } from '../../errors.js'

/** Where to look for ffmpeg; each part can be replaced in tests. */
export interface FfmpegPlaces {
  /** @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /**
   * Path that the optional package `ffmpeg-static` names.
   *
   * @default what the package says, where it is installed
   */
  readonly bundledPath?: string | undefined
}

const WHAT_TO_DO = 'Install ffmpeg 5.1 or newer (Debian: `apt-get install ffmpeg`), or set FFMPEG_PATH to its binary.'

/**
 * Finds the ffmpeg binary: `FFMPEG_PATH`, then the package `ffmpeg-static`, then the folders of `PATH`.
 *
 * @throws {StreamError} `FFMPEG_NOT_FOUND`: there is none, or `FFMPEG_PATH` names something else. A wrong
 * `FFMPEG_PATH` is never passed over: somebody set it on purpose.
 */
export function findFfmpeg({ environment = process.env, bundledPath = bundledFfmpeg() }: FfmpegPlaces = {}): string {
  const named = environment.FFMPEG_PATH
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named
    throw new StreamError('FFMPEG_NOT_FOUND', `FFMPEG_PATH is ${named}, which is not a program. ${WHAT_TO_DO}`)
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  const candidates = [bundledPath, ...folders.map((folder) => join(folder, name))]
  const found = candidates.find((path) => path !== undefined && isProgram(path))
  if (found !== undefined) return found
  throw new StreamError('FFMPEG_NOT_FOUND', `No ffmpeg was found in FFMPEG_PATH, ffmpeg-static or PATH. ${WHAT_TO_DO}`)
}

/** The path `ffmpeg-static` names. The file needn't be there: its install script may not have run. */
function bundledFfmpeg(): string | undefined {
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static')
    return typeof path === 'string' ? path : undefined
  } catch {
    // An optional package that isn't installed is no failure.
    return undefined
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
