import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createRenderer } from './render.js'
import type { Scene } from './scene.js'

/** How a video is written. */
export interface EncodeOptions {
  readonly width: number
  readonly height: number
  readonly framesPerSecond: number
  /** x264's quality, 0 (lossless) to 51. */
  readonly crf: number
  /** Frames from one keyframe to the next. @default x264's own choice */
  readonly keyframeEvery?: number
  /** The ffmpeg program. @default the environment's `FFMPEG_PATH`, else `ffmpeg` on the `PATH` */
  readonly ffmpeg?: string
}

/** Writes RGB24 frames as an H.264 mp4 with ffmpeg. */
export async function encodeFrames(file: string, frames: Iterable<Uint8Array>, options: EncodeOptions): Promise<void> {
  const program = options.ffmpeg ?? process.env.FFMPEG_PATH ?? 'ffmpeg'
  const ffmpeg = spawn(program, ffmpegArguments(file, options), { stdio: ['pipe', 'ignore', 'pipe'] })
  const complaints: Buffer[] = []
  ffmpeg.stderr.on('data', (text: Buffer) => complaints.push(text))

  const ended = new Promise<void>((resolve, reject) => {
    ffmpeg.on('error', (cause) => {
      reject(new Error(`Can't start ${program}: install ffmpeg, or set FFMPEG_PATH to it.`, { cause }))
    })
    ffmpeg.on('close', (code) => {
      const said = Buffer.concat(complaints).toString().trim()
      if (code === 0) resolve()
      else reject(new Error(`${program} ended with ${code ?? 'a signal'} while writing ${file}: ${said}`))
    })
  })

  const fed = pipeline(Readable.from(frames), ffmpeg.stdin)
  // When ffmpeg fails, its own words come first; the broken pipe that follows says nothing more.
  fed.catch(() => undefined)
  await ended
  await fed
}

/** Writes a scene's whole clip. */
export async function encodeScene(file: string, scene: Scene, ffmpeg?: string): Promise<void> {
  const { width, height, framesPerSecond, crf } = scene
  await encodeFrames(file, allFrames(scene), {
    width,
    height,
    framesPerSecond,
    crf,
    ...(ffmpeg === undefined ? {} : { ffmpeg }),
  })
}

function* allFrames(scene: Scene): Generator<Uint8Array> {
  const render = createRenderer(scene)
  for (let frame = 0; frame < scene.frameCount; frame += 1) yield render(frame)
}

function ffmpegArguments(file: string, options: EncodeOptions): string[] {
  const { width, height, framesPerSecond, crf, keyframeEvery } = options
  const keyframes = keyframeEvery === undefined ? [] : ['-g', `${keyframeEvery}`, '-keyint_min', `${keyframeEvery}`, '-sc_threshold', '0']
  return [
    ...['-v', 'error', '-y'],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', `${framesPerSecond}`, '-i', 'pipe:0'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '1', '-crf', `${crf}`, '-pix_fmt', 'yuv420p', ...keyframes],
    ...['-movflags', '+faststart', file],
  ]
}
