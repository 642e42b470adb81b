import { z } from 'zod'

import { throwIfAborted } from '../errors.js'
import { createLedger } from '../ledger.js'
import { samplingSchema } from '../sampling/sampling-settings.js'
import type { Sampling } from '../sampling/sampling.js'
import { uniform } from '../sampling/uniform.js'
import { wantedIndices } from '../sampling/wanted-indices.js'
import type { Question, StreamInfo } from '../types.js'
import { decodePlan } from './decode-plan.js'
import { type Picture, pacedFrames } from './paced-frames.js'
import { planDecoding } from './seek-plan.js'
import type { FrameStream } from './source.js'
import { noPicturesError } from './video-errors.js'
import { VideoHealth } from './video-health.js'
import { readVideoTrack, ticksToMs } from './video-track.js'

/** Settings of every source that reads whole video files. */
export interface VideoReadingOptions {
  /**
   * Which frames are wanted; the others are never decoded where a seek can pass over them, and never piped.
   *
   * @default uniform(16)
   */
  readonly sampling?: Sampling
  /**
   * Most frames of a stream handed out and not settled yet. The decoder waits meanwhile: this bounds the
   * memory, at `width * height * 3` bytes a frame.
   *
   * @default 32
   */
  readonly maxFramesInFlight?: number
  /**
   * Questions about the video; they override the pipeline's.
   *
   * @default none
   */
  readonly questions?: readonly Question[]
}

/** Fields of a zod object: `VideoReadingOptions`. */
export const videoReadingFields = {
  sampling: samplingSchema.default(() => uniform(16)),
  maxFramesInFlight: z.int().min(1).default(32),
  questions: z.array(z.string().trim().min(1)).optional(),
}

/** `VideoReadingOptions` after the check, defaults filled in. */
export interface VideoReading {
  readonly sampling: Sampling
  readonly maxFramesInFlight: number
  readonly questions?: readonly Question[] | undefined
}

/**
 * Lends a whole video file: makes it, hands its path to `read`, passes on its pictures, and puts away what it
 * made when they end, whichever way. Called once for each subscription, not before.
 */
export type LendVideo = (read: (path: string) => AsyncGenerator<Picture>, signal: AbortSignal) => AsyncGenerator<Picture>

/** A file that is there already. */
export function localVideo(path: string): LendVideo {
  return (read) => read(path)
}

/** Who a stream of a video file is, and how it is read. */
export interface FileStreamSettings extends VideoReading {
  readonly id: string
  /** The kind of the source. */
  readonly kind: string
  /** @default 0 */
  readonly epoch?: number
}

/** Makes the stream of one video file, its frames as `file` describes them. Opens nothing before the subscription. */
export function fileStream(lend: LendVideo, settings: FileStreamSettings): FrameStream {
  const { id, kind, epoch = 0, sampling, maxFramesInFlight, questions } = settings
  const health = new VideoHealth()
  const info: StreamInfo = {
    ...{ id, epoch, kind, isLive: false, ledger: createLedger() },
    ...(questions === undefined ? {} : { questions }),
    health: () => health.health(),
  }
  const frames = pacedFrames(info, { maxFramesInFlight }, (signal) =>
    lend((path) => readVideo(path, { sampling, health, signal }), signal),
  )
  return { info, frames }
}

/** What a video is read with. */
export interface VideoReader {
  readonly sampling: Sampling
  readonly health: VideoHealth
  readonly signal: AbortSignal
}

/** The wanted pictures of a file, in display order, repeats included. */
export async function* readVideo(path: string, { sampling, health, signal }: VideoReader): AsyncGenerator<Picture> {
  const track = await readVideoTrack(path, signal)
  throwIfAborted(signal, `Reading ${path}`)

  const ptsMs = track.ticks.map((ticks) => ticksToMs(ticks, track.timeBase))
  const jobs = planDecoding(track, wantedIndices(sampling, { ptsMs, averageFps: track.averageFps }))
  health.begin(track, jobs)

  let isEmpty = true
  for await (const { index, times, width, height, data } of decodePlan(track, jobs, { observer: health, signal })) {
    isEmpty = false
    // The same picture as often as it is wanted, so that the model gets as many frames as were asked for.
    for (let copy = 0; copy < times; copy++) {
      yield { index, ptsMs: ptsMs[index] ?? 0, width, height, data }
    }
  }
  if (isEmpty) throw noPicturesError(path)
}
