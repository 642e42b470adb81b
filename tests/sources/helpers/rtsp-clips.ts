import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Mounted } from '../../support/rtsp-server.js'
import { ffmpegSync } from './media.js'
import type { MediaFolder } from './media.js'

const KEYFRAMES = ['-g', '12', '-pix_fmt', 'yuv420p']
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', ...KEYFRAMES]

/** Moving test pictures in H.264, four seconds at 25 fps. */
export function testClip(media: MediaFolder, { size = '64x48', fps = 25 } = {}): Mounted {
  const moving = ['-f', 'lavfi', '-i', `testsrc=s=${size}:r=${fps}`, '-t', '4']
  return { codec: 'h264', clip: media.make(`moving-${size}-${fps}.mp4`, [...moving, ...H264]) }
}

/** The same in H.265, in another size. */
export function hevcClip(media: MediaFolder): Mounted {
  const codec = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=12:bframes=0']
  const moving = ['-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25', '-t', '4', '-pix_fmt', 'yuv420p']
  return { codec: 'h265', clip: media.make('moving.hevc.mp4', [...moving, ...codec]) }
}

/** A picture in which nothing ever moves. */
export function stillClip(media: MediaFolder): Mounted {
  const still = ['-f', 'lavfi', '-i', 'color=c=gray:s=64x48:r=25', '-t', '4']
  return { codec: 'h264', clip: media.make('still.mp4', [...still, ...H264]) }
}

/** Sound alone. */
export function soundClip(media: MediaFolder): Mounted {
  return { codec: 'aac', clip: media.make('sound.mp4', ['-f', 'lavfi', '-i', 'sine', '-t', '4', '-c:a', 'aac']) }
}

/** Two seconds of lying pictures, then two of standing ones with as many pixels, without a break in the stream. */
export function turningClip(media: MediaFolder): Mounted {
  const parts = ['64x48', '48x64'].map((size) => {
    const moving = ['-f', 'lavfi', '-i', `testsrc=s=${size}:r=25`, '-t', '2']
    return readFileSync(media.make(`part-${size}.h264`, [...moving, ...H264]))
  })
  const raw = join(media.path, 'turning.h264')
  writeFileSync(raw, Buffer.concat(parts))
  const clip = join(media.path, 'turning.ts')
  ffmpegSync(['-f', 'h264', '-framerate', '25', '-i', raw, '-c', 'copy', clip])
  return { codec: 'h264', clip }
}
