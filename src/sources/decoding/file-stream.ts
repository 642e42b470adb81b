import { z } from 'zod'

import { throwIfAborted } from '../../errors.js'
import { createLedger } from '../../ledger.js'
import { samplingSchema } from '../../sampling/sampling-settings.js'
import type { Sampling } from '../../sampling/sampling.js'
import { uniform } from '../../sampling/uniform.js'
import type { Question, StreamInfo } from '../../types.js'
import { decodeWanted } from './decode-wanted.js'
import { fileDecoderSlots } from './decoder-slots.js'
import { expectHwaccel, hwaccelSchema } from './hwaccel.js'
import { type Picture, pacedFrames } from './paced-frames.js'
import type { FrameStream } from '../source.js'
import { noPicturesError } from './video-errors.js'
import { VideoHealth } from './video-health.js'
import { type VideoTrack, readVideoTrack } from './video-track.js'
import { planWanted } from './wanted-plan.js'

/** Settings of every source that reads whole video files. */
export interface VideoReadingOptions {
  /**
   * Which frames are wanted; the others are never decoded where a seek can pass over them, and never piped.
   * Where frames needn't be exact `keyframesOnly` takes a fraction of the work: `uniform(16, { keyframesOnly: true })`.
   *
   * @default uniform(16)
   */
  readonly sampling?: Sampling
  /**
   * How hardware decodes, a method that `ffmpeg -hwaccels` lists (`vaapi`, `cuda`, `videotoolbox`, …), or `auto`:
   * whichever works, else the processor. Looked for when the first frame is wanted. A named method, too, leaves
   * codecs that its device can't decode to the processor.
   *
   * @default none: the processor decodes
   */
  readonly hwaccel?: string
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
  hwaccel: hwaccelSchema.optional(),
  maxFramesInFlight: z.int().min(1).default(32),
  questions: z.array(z.string().trim().min(1)).optional(),
}

/** `VideoReadingOptions` after the check, defaults filled in. */
export interface VideoReading {
  readonly sampling: Sampling
  readonly hwaccel?: string | undefined
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
  /** The file's listing. @default it is listed at each subscription */
  readonly track?: VideoTrack
}

/** Makes the stream of one video file, its frames as `file` describes them. Opens nothing before the subscription. */
export function fileStream(lend: LendVideo, settings: FileStreamSettings): FrameStream {
  const { id, kind, epoch = 0, sampling, hwaccel, maxFramesInFlight, questions, track } = settings
  const health = new VideoHealth()
  const info: StreamInfo = {
    ...{ id, epoch, kind, isLive: false, ledger: createLedger() },
    ...(questions === undefined ? {} : { questions }),
    health: () => health.health(),
  }
  const frames = pacedFrames(info, { maxFramesInFlight }, (signal) =>
    lend((path) => readVideo(path, { sampling, hwaccel, track, health, signal }), signal),
  )
  return { info, frames }
}

/** What a video is read with. */
export interface VideoReader {
  readonly sampling: Sampling
  /** @default none: the processor decodes */
  readonly hwaccel?: string | undefined
  /** The file's listing. @default it is listed first */
  readonly track?: VideoTrack | undefined
  readonly health: VideoHealth
  readonly signal: AbortSignal
}

/** The wanted pictures of a file, in display order, repeats included. */
export async function* readVideo(path: string, reader: VideoReader): AsyncGenerator<Picture> {
  const { sampling, hwaccel, health, signal } = reader
  if (hwaccel !== undefined) await expectHwaccel(hwaccel, signal)
  const track = reader.track ?? (await listInTurn(path, signal))
  throwIfAborted(signal, `Reading ${path}`)

  const { ptsMs, jobs, keyframesOnly, warning } = planWanted(track, sampling)
  health.begin(track, jobs)
  if (warning !== undefined) health.warn(warning)

  const pictures = decodeWanted(track, { jobs, keyframesOnly }, { health, signal, decoder: { hwaccel } })
  let isEmpty = true
  for await (const { index, times, width, height, data } of pictures) {
    isEmpty = false
    // The same picture as often as it is wanted, so that the model gets as many frames as were asked for.
    for (let copy = 0; copy < times; copy++) {
      yield { index, ptsMs: ptsMs[index] ?? 0, width, height, data }
    }
  }
  if (isEmpty) throw noPicturesError(path)
}

/** Going through a whole file is work, too, if less than decoding it. */
async function listInTurn(path: string, signal: AbortSignal): Promise<VideoTrack> {
  const slot = await fileDecoderSlots().take(signal)
  try {
    return await readVideoTrack(path, signal)
  } finally {
    slot.release()
  }
}
