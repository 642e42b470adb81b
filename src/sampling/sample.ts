import { type MonoTypeOperatorFunction, defer, filter, mergeMap } from 'rxjs'

import { expectInteger, expectNumber } from '../checks.js'
import { StreamError } from '../errors.js'
import type { Frame, StreamInfo } from '../types.js'
import { createFpsRule } from './by-fps.js'
import { linspaceIndices } from './linspace.js'
import type { Sampling } from './sampling.js'
import { type StreamLength, uniformPerSecondCount } from './uniform-per-second.js'

/**
 * Thins a stream of frames by the same value that a source takes.
 *
 * ```
 * frames             a-b-c-d-e|   one each 100 ms
 * sample(byFps(5))
 * kept               a---c---e|
 * ```
 *
 * A frame that isn't wanted is settled as `skipped` at once. Prefer to hand the value to the source: it
 * doesn't even decode or pipe what nobody wants.
 *
 * The uniform kinds need to know how long the stream is before its first frame: picking evenly without
 * that would mean to hold every frame to the end. So they take `length`, and a live stream has none.
 * A frame that is wanted twice comes twice, the same picture and time each with a receipt of its own.
 *
 * Holds no frame: complete and error pass through, unsubscribe frees nothing but the count.
 *
 * @param length Length of the whole stream; needed by the uniform kinds (`averageFps` by `uniformPerSecond` only).
 * @throws {StreamError} `SETTING_INVALID`: a uniform kind without its `length`, or `keyframesOnly`, which frames
 * don't tell of themselves; the stream errors with it where a uniform kind meets a live stream.
 */
export function sample(sampling: Sampling, length: Partial<StreamLength> = {}): MonoTypeOperatorFunction<Frame> {
  if (sampling.keyframesOnly === true) throw keyframesError()
  switch (sampling.kind) {
    case 'all':
      return (frames) => frames
    case 'fps':
      return sampleByFps(sampling.fps)
    case 'uniform':
      return sampleIndices(linspaceIndices(expectInteger('length.frames', length.frames, 1), sampling.frames))
    case 'uniform-per-second': {
      const frames = expectInteger('length.frames', length.frames, 1)
      const averageFps = expectNumber('length.averageFps', length.averageFps, { min: 0 })
      return sampleIndices(
        linspaceIndices(frames, uniformPerSecondCount({ frames, averageFps, maxFrames: sampling.maxFrames })),
      )
    }
    case 'indices':
      return sampleIndices(sampling.indices)
  }
}

function sampleByFps(fps: number): MonoTypeOperatorFunction<Frame> {
  // `defer` gives each subscription its own state.
  return (frames) =>
    defer(() => {
      let stream: StreamInfo | undefined
      let isKept = createFpsRule(fps)

      return frames.pipe(
        filter((frame) => {
          // Media time starts again with each epoch, and so do the slots.
          if (frame.stream !== stream) isKept = createFpsRule(fps)
          stream = frame.stream
          return isKept(frame.ptsMs) || skip(frame)
        }),
      )
    })
}

function sampleIndices(indices: readonly number[]): MonoTypeOperatorFunction<Frame> {
  const timesWanted = new Map<number, number>()
  for (const index of indices) timesWanted.set(index, (timesWanted.get(index) ?? 0) + 1)

  // The inner values are arrays, taken in at once: nothing ever waits inside `mergeMap`.
  return (frames) => frames.pipe(mergeMap((frame) => copies(expectFinite(frame), timesWanted.get(frame.index) ?? 0)))
}

function copies(frame: Frame, times: number): readonly Frame[] {
  if (times === 0) skip(frame)
  return Array.from({ length: times }, (_, copy) =>
    copy === 0 ? frame : { ...frame, receipt: frame.stream.ledger.frame() },
  )
}

function skip(frame: Frame): false {
  frame.receipt.settle({ kind: 'skipped' })
  return false
}

function keyframesError(): StreamError {
  return new StreamError(
    'SETTING_INVALID',
    'sample: decoded frames do not say which of them were keyframes. Hand a sampling with `keyframesOnly` to the source.',
  )
}

function expectFinite(frame: Frame): Frame {
  if (!frame.stream.isLive) return frame
  throw new StreamError(
    'SETTING_INVALID',
    `Stream ${frame.stream.id} is live and has no end to spread frames up to: use \`byFps\` for it.`,
  )
}
