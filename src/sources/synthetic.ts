import { setImmediate as nextTurn } from 'node:timers/promises'

import { defer, of } from 'rxjs'

import { expectInteger, expectNumber, expectText } from '../checks.js'
import { StreamError } from '../errors.js'
import { createLedger } from '../ledger.js'
import type { Question, StreamInfo } from '../types.js'
import { type Picture, pacedFrames } from './decoding/paced-frames.js'
import { checkQuestions } from './questions.js'
import type { FrameStream, Source } from './source.js'

/** Settings of `synthetic`. */
export interface SyntheticOptions {
  /**
   * Name of the stream.
   *
   * @default 'synthetic'
   */
  readonly id?: string
  /**
   * How many frames there are.
   *
   * @default 16
   */
  readonly frames?: number
  /**
   * Frames for each second of media time.
   *
   * @default 25
   */
  readonly fps?: number
  /**
   * Width in pixels; at least 2, for the number to fit.
   *
   * @default 64
   */
  readonly width?: number
  /**
   * Height in pixels.
   *
   * @default 48
   */
  readonly height?: number
  /**
   * Seed of the noise; the same seed gives the same pictures.
   *
   * @default 1
   */
  readonly seed?: number
  /**
   * Whether the stream calls itself live. It is paced and ends all the same.
   *
   * @default false
   */
  readonly isLive?: boolean
  /**
   * Place of the frame instead of which the stream errors with `VIDEO_DECODER_FAILED`, as a camera that is
   * lost would.
   *
   * @default none
   */
  readonly failAt?: number
  /**
   * Most frames handed out and not settled yet.
   *
   * @default 32
   */
  readonly maxFramesInFlight?: number
  /**
   * Questions about the stream; they override the pipeline's.
   *
   * @default none
   */
  readonly questions?: readonly Question[]
}

/**
 * Makes numbered frames of seeded noise, without ffmpeg or any file: for pipeline tests and benches.
 *
 * The first four bytes of a picture are its index, big-endian. Paced by the ledger as every source.
 *
 * @example
 * ```ts
 * synthetic({ id: 'noise', frames: 100, fps: 10, seed: 7 })
 * ```
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function synthetic(options: SyntheticOptions = {}): Source {
  const { id = 'synthetic', isLive = false } = options
  expectText('id', id)
  const questions = checkQuestions(options.questions)
  const maxFramesInFlight = expectInteger('maxFramesInFlight', options.maxFramesInFlight ?? 32, 1)
  const scene: Scene = {
    frames: expectInteger('frames', options.frames ?? 16, 1),
    fps: expectNumber('fps', options.fps ?? 25, { min: 0 }),
    width: expectInteger('width', options.width ?? 64, 2),
    height: expectInteger('height', options.height ?? 48, 1),
    seed: expectInteger('seed', options.seed ?? 1, 0),
    failAt: options.failAt === undefined ? Infinity : expectInteger('failAt', options.failAt, 0),
  }

  return {
    kind: 'synthetic',
    id,
    streams: defer(() => {
      const info: StreamInfo = {
        ...{ id, epoch: 0, kind: 'synthetic', isLive, ledger: createLedger() },
        ...(questions === undefined ? {} : { questions }),
        health: () => ({ coverage: 1, warnings: [] }),
      }
      return of<FrameStream>({ info, frames: pacedFrames(info, { maxFramesInFlight }, () => pictures(scene)) })
    }),
  }
}

interface Scene {
  readonly frames: number
  readonly fps: number
  readonly width: number
  readonly height: number
  readonly seed: number
  readonly failAt: number
}

async function* pictures({ frames, fps, width, height, seed, failAt }: Scene): AsyncGenerator<Picture> {
  for (let index = 0; index < frames; index++) {
    // Nothing here waits for a device, so others would never get their turn.
    await nextTurn()
    if (index === failAt) throw new StreamError('VIDEO_DECODER_FAILED', `Frame ${index} was to fail.`)
    const ptsMs = Math.round((index * 1e6) / fps) / 1000
    yield { index, ptsMs, width, height, data: noise({ index, seed, length: width * height * 3 }) }
  }
}

// What is drawn of a picture; the rest repeats it, so that many streams of large pictures don't hold up the event loop.
const DRAWN_BYTES = 4096

function noise({ index, seed, length }: { index: number; seed: number; length: number }): Uint8Array {
  const data = new Uint8Array(length)
  // A linear congruential generator: pictures that differ are all that is needed.
  let state = (seed * 2654435761 + index * 40503 + 1) >>> 0
  const drawn = Math.min(length, DRAWN_BYTES)
  for (let place = 4; place < drawn; place++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[place] = state >>> 24
  }
  for (let filled = drawn; filled < length; filled *= 2) data.copyWithin(filled, 0, filled)
  new DataView(data.buffer).setUint32(0, index)
  return data
}
