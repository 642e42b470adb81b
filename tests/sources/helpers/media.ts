import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll } from 'vitest'

import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'

/** The committed clip: 125 pictures at 25 fps, 640 x 360, index at the front. */
export const BUNNY = fileURLToPath(new URL('../../media/bunny.mp4', import.meta.url))

/** A folder for the files of one test file, gone after its tests. */
export class MediaFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'tinyllava-stream-media-'))

  constructor() {
    afterAll(() => {
      rmSync(this.path, { recursive: true })
    })
  }

  /** The path of a file in the folder; made by ffmpeg with these options unless it is there already. */
  make(name: string, options: readonly string[]): string {
    const path = join(this.path, name)
    if (!existsSync(path)) ffmpegSync([...options, path])
    return path
  }

  /** The path of a file made by a named recipe. */
  kind(name: MediaKind): string {
    const recipe = KINDS[name]
    if (name !== 'rotated.mp4') return this.make(name, recipe)
    // ffmpeg 6 took the rotation out of the metadata and made it an option of its own.
    try {
      return this.make(name, recipe)
    } catch {
      return this.make(name, ['-i', BUNNY, '-c', 'copy', '-metadata:s:v', 'rotate=90'])
    }
  }

  /** The path of a file that repeats the clip `times` times, without encoding it again. */
  loop(name: string, { source, times }: { source: string; times: number }): string {
    return this.make(name, ['-stream_loop', String(times - 1), '-i', source, '-c', 'copy'])
  }
}

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '12', '-bf', '2']

/** One file for each way in which finding a picture by seeking goes wrong when it is done carelessly. */
const KINDS = {
  'vfr.mp4': [
    ...['-i', BUNNY, '-vf', "select='not(mod(n,7))+not(mod(n,3))+between(n,40,70)'"],
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1/90000', ...H264],
  ],
  'transport.ts': ['-i', BUNNY, ...H264],
  'open-gop.mp4': [
    ...['-i', BUNNY, '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-x264-params', 'open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0:b-adapt=0'],
  ],
  // Cut between two keyframes without encoding: the pictures before the cut are in the file and not shown.
  'edit-list.mp4': ['-ss', '1.37', '-i', BUNNY, '-c', 'copy'],
  'hevc.mp4': [
    ...['-i', BUNNY, '-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1'],
    ...['-x265-params', 'keyint=12:min-keyint=12:bframes=3:log-level=error'],
  ],
  'matroska.mkv': ['-i', BUNNY, '-vf', 'fps=30000/1001', ...H264],
  'rotated.mp4': ['-display_rotation', '90', '-i', BUNNY, '-c', 'copy'],
} as const satisfies Record<string, readonly string[]>

export type MediaKind = keyof typeof KINDS
export const mediaKinds = Object.keys(KINDS) as readonly MediaKind[]

/** Runs ffmpeg and gives what it wrote to stdout; throws with its complaints where it fails. */
export function ffmpegSync(options: readonly string[]): Buffer {
  return execFileSync(findFfmpeg(), ['-v', 'error', '-nostdin', '-y', ...options], {
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** MD5 of the RGB pixels of each picture, by a plain decode from the first to the last. */
export function fullDecodeHashes(path: string): string[] {
  const toRgb = 'scale=flags=bicubic,format=rgb24'
  const options = ['-i', path, '-map', '0:V:0', '-vf', toRgb, '-fps_mode', 'passthrough', '-f', 'framemd5', '-']
  return ffmpegSync(options)
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => line.split(',').at(-1)?.trim() ?? '')
}
