import { basename, resolve } from 'node:path'

import { defer, of } from 'rxjs'

import { expectInteger, expectText } from '../checks.js'
import { throwIfAborted } from '../errors.js'
import { createLedger } from '../ledger.js'
import { checkSampling } from '../sampling/check-sampling.js'
import type { Sampling } from '../sampling/sampling.js'
import { uniform } from '../sampling/uniform.js'
import { wantedIndices } from '../sampling/wanted-indices.js'
import type { Question, StreamInfo } from '../types.js'
import { decodePlan } from './decode-plan.js'
import { type Picture, pacedFrames } from './paced-frames.js'
import { checkQuestions } from './questions.js'
import { planDecoding } from './seek-plan.js'
import type { FrameStream, Source } from './source.js'
import { expectNoAddress, noPicturesError } from './video-errors.js'
import { VideoHealth } from './video-health.js'
import { readVideoTrack, ticksToMs } from './video-track.js'

/** Settings of `file`. */
export interface FileOptions {
  /**
   * Name of the stream, part of every answer's id. Give one where two files have the same name.
   *
   * @default the file's name without its folder, so that moving a file doesn't change its answers
   */
  readonly id?: string
  /**
   * Which frames are wanted; the others are never decoded where a seek can pass over them, and never piped.
   *
   * @default uniform(16)
   */
  readonly sampling?: Sampling
  /**
   * Most frames handed out and not settled yet. The decoder waits meanwhile: this bounds the memory, at
   * `width * height * 3` bytes a frame.
   *
   * @default 32
   */
  readonly maxFramesInFlight?: number
  /**
   * Questions about this file; they override the pipeline's.
   *
   * @default none
   */
  readonly questions?: readonly Question[]
}

/**
 * Reads a video file of any container and codec that ffmpeg knows. One stream.
 *
 * Frames come with rotation applied, in RGB by the colour matrix and range the file is tagged with (BT.601,
 * limited, where it isn't), with time 0 at the first picture shown. They are exactly those of a full decode,
 * found by seeking where that is cheaper. The file can't make ffmpeg open other files or hosts.
 *
 * A file that is cut off after its index or damaged inside gives what can be had; `info.health()` then tells a
 * coverage below 1, with warnings. Its frames are spread over what is there.
 *
 * The stream's frames error with `VIDEO_NOT_FOUND`, `VIDEO_NOT_A_FILE`, `VIDEO_EMPTY`, `VIDEO_UNREADABLE`,
 * `VIDEO_FORMAT_REFUSED`, `VIDEO_NO_TRACK`, `VIDEO_NO_FRAMES`, `VIDEO_DAMAGED`, `VIDEO_DECODER_FAILED`,
 * `FFMPEG_NOT_FOUND` or `FFMPEG_TOO_OLD`.
 *
 * @example
 * ```ts
 * file('holiday.mp4', { sampling: uniform(16), questions: ['Where is this?'] })
 * ```
 * @param path Path of the file, from the current folder if it isn't absolute.
 * @throws {StreamError} `SETTING_INVALID`: a setting is wrong, or the path is an address (`rtsp://…`).
 */
export function file(path: string, options: FileOptions = {}): Source {
  expectNoAddress(path)
  const fullPath = resolve(expectText('path', path))
  const id = expectText('id', options.id ?? basename(fullPath))
  const maxFramesInFlight = expectInteger('maxFramesInFlight', options.maxFramesInFlight ?? 32, 1)
  const { sampling: wanted = uniform(16) } = options
  const sampling = checkSampling(wanted)
  const questions = checkQuestions(options.questions)

  return {
    kind: 'file',
    id,
    streams: defer(() => {
      const health = new VideoHealth()
      const info: StreamInfo = {
        ...{ id, epoch: 0, kind: 'file', isLive: false, ledger: createLedger() },
        ...(questions === undefined ? {} : { questions }),
        health: () => health.health(),
      }
      const frames = pacedFrames(info, { maxFramesInFlight }, (signal) =>
        readPictures(fullPath, { sampling, health, signal }),
      )
      return of<FrameStream>({ info, frames })
    }),
  }
}

interface Reading {
  readonly sampling: Sampling
  readonly health: VideoHealth
  readonly signal: AbortSignal
}

/** The wanted pictures of a file, in display order, repeats included. */
async function* readPictures(path: string, { sampling, health, signal }: Reading): AsyncGenerator<Picture> {
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
