import { Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'

import { StreamError } from '../../../src/errors.js'
import { createLedger } from '../../../src/ledger.js'
import { encode } from '../../../src/operators/encode.js'
import { slidingWindow } from '../../../src/operators/sliding-window.js'
import { type LivePacing, type LivePicture, liveFrames } from '../../../src/sources/live/frames.js'
import type { Clip, Frame } from '../../../src/types.js'
import { createFakeModel, createInstantModel, createStream, features, settled } from '../../operators/fakes.js'

function setUp(changes: Partial<LivePacing> = {}) {
  const ledger = createLedger()
  const stream = createStream({ ledger, isLive: true, epoch: 7 })
  const pictures = new Subject<LivePicture>()
  const frames = liveFrames(pictures, { ledger, maxFramesInFlight: 2, bufferFrames: 2, whenFull: 'latest', ...changes })
  let index = 0
  const push = (changed: Partial<LivePicture> = {}): void => {
    const ptsMs = index * 1000
    pictures.next({ stream, index, ptsMs, width: 2, height: 2, data: new Uint8Array(12), ...changed })
    index += 1
  }
  return { ledger, stream, pictures, frames, push }
}

function watch(frames: ReturnType<typeof setUp>['frames']) {
  const seen: Frame[] = []
  const ends: unknown[] = []
  const subscription = frames.subscribe({
    next: (frame) => seen.push(frame),
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  })
  return { seen, ends, subscription, indices: () => seen.map(({ index }) => index) }
}

describe('liveFrames', () => {
  test.each([
    ['latest', [0, 1, 4, 5]],
    ['oldest', [0, 1, 2, 3]],
  ] as const)('hands out what its budget allows; %s decides what else there is', async (whenFull, expected) => {
    const { frames, push, ledger } = setUp({ whenFull })
    const { seen, indices } = watch(frames)
    for (let count = 0; count < 6; count++) {
      push()
      await settled()
    }
    expect(indices()).toEqual([0, 1])
    expect(ledger.counts()).toMatchObject({ handedOut: 4, framesInFlight: 2, dropped: { 'buffer-full': 2 } })

    for (const { receipt } of seen.slice(0, 2)) receipt.settle({ kind: 'encoded' })
    await settled()
    expect(indices()).toEqual(expected)
  })

  test('error ends the stream after what was waiting', async () => {
    const { frames, push, ledger } = setUp({ whenFull: 'error', maxFramesInFlight: 1, bufferFrames: 1 })
    const { seen, ends, indices } = watch(frames)
    for (let count = 0; count < 3; count++) {
      push()
      await settled()
    }
    expect(ends).toEqual([])
    seen[0]?.receipt.settle({ kind: 'encoded' })
    await settled()
    expect(indices()).toEqual([0, 1])
    expect(ends).toEqual([expect.objectContaining({ code: 'LIVE_BUFFER_FULL' })])
    expect(ledger.counts()).toMatchObject({ handedOut: 3, dropped: { 'buffer-full': 1 } })
  })

  test('passes on the end after what waits, whichever end it is', async () => {
    const failure = new StreamError('RTSP_UNAUTHORIZED', 'no')
    for (const [end, expected] of [[undefined, 'complete'], [failure, failure], [new Error('odd'), expect.any(StreamError)]]) {
      const { frames, pictures, push } = setUp({ maxFramesInFlight: 1 })
      const { seen, ends } = watch(frames)
      push()
      push()
      if (end === undefined) pictures.complete()
      else pictures.error(end)
      await settled()
      expect([seen.length, ends]).toEqual([1, []])
      seen[0]?.receipt.settle({ kind: 'encoded' })
      await settled()
      expect([seen.length, ends]).toEqual([2, [expected]])
    }
  })

  test('accounts for what waits when nobody wants it any more', async () => {
    const { frames, pictures, push, ledger } = setUp({ maxFramesInFlight: 1 })
    const { seen, subscription } = watch(frames)
    for (let count = 0; count < 3; count++) {
      push()
      await settled()
    }
    subscription.unsubscribe()
    expect(pictures.observed).toBe(false)
    expect(ledger.counts()).toMatchObject({ handedOut: 3, framesInFlight: 1, dropped: { stopped: 2 } })
    seen[0]?.receipt.settle({ kind: 'encoded' })
    await settled()
    expect(seen).toHaveLength(1)
  })

  test('drops what waits and comes during a pause, and goes on with what is new', async () => {
    const { frames, push, ledger } = setUp({ maxFramesInFlight: 1 })
    const { seen, indices } = watch(frames)
    push()
    push()
    await settled()
    ledger.pause()
    await settled()
    push()
    seen[0]?.receipt.settle({ kind: 'encoded' })
    await settled()
    ledger.resume()
    await settled()
    push()
    await settled()
    expect(indices()).toEqual([0, 3])
    expect(ledger.counts()).toMatchObject({ handedOut: 4, encoded: 1, framesInFlight: 1, dropped: { paused: 2 } })
  })
})

describe('windows over a live stream', () => {
  test('never span two epochs', async () => {
    const { frames, push, stream } = setUp({ maxFramesInFlight: 8 })
    const clips: Clip[] = []
    frames.pipe(encode(createInstantModel()), slidingWindow({ frames: 4 })).subscribe((clip) => clips.push(clip))
    const next = { ...stream, epoch: 8 }
    for (let count = 0; count < 10; count++) {
      push(count < 6 ? {} : { stream: next })
      await settled()
    }
    const epochs = clips.map((clip) => clip.frames.map(({ stream: { epoch } }) => epoch))
    expect(epochs).toEqual([[7, 7, 7, 7], [7, 7], [8, 8, 8, 8]])
    expect(clips[1]?.warnings).toEqual([expect.stringContaining("2 of the window's 4 frames")])
  })

  test('say by their coverage how many frames were dropped', async () => {
    const { frames, push } = setUp({ maxFramesInFlight: 1, bufferFrames: 1 })
    const model = createFakeModel()
    const clips: Clip[] = []
    frames.pipe(encode(model), slidingWindow({ frames: 2 })).subscribe((clip) => clips.push(clip))
    for (let count = 0; count < 4; count++) {
      push()
      await settled()
    }
    for (let count = 0; count < 2; count++) {
      model.encodeCalls.at(-1)?.resolve([features(1)])
      await settled()
    }
    expect(clips.map(({ coverage }) => coverage)).toEqual([0.5])
    expect(clips[0]?.warnings).toEqual([expect.stringContaining('2 of 4 frames were lost')])
  })
})
