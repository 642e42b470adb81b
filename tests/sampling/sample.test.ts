import { firstValueFrom, from, lastValueFrom, toArray } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import { createLedger } from '../../src/ledger.js'
import { allFrames } from '../../src/sampling/all-frames.js'
import { atIndices } from '../../src/sampling/at-indices.js'
import { byFps } from '../../src/sampling/by-fps.js'
import { sample } from '../../src/sampling/sample.js'
import type { Sampling } from '../../src/sampling/sampling.js'
import { uniformPerSecond } from '../../src/sampling/uniform-per-second.js'
import { uniform } from '../../src/sampling/uniform.js'
import type { Frame, StreamInfo } from '../../src/types.js'

function streamOf(options: Partial<StreamInfo> = {}): StreamInfo {
  const health = () => ({ coverage: 1, warnings: [] })
  return { id: 'test', epoch: 0, kind: 'test', isLive: false, ledger: createLedger(), health, ...options }
}

/** Frames of one stream, 100 ms apart. */
function framesOf(stream: StreamInfo, count: number): Frame[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ stream, index, ptsMs: index * 100, width: 1, height: 1, data: new Uint8Array(3) },
    receipt: stream.ledger.frame(),
  }))
}

async function indicesOf(sampling: Sampling, count: number, length = {}): Promise<number[]> {
  const kept = await lastValueFrom(from(framesOf(streamOf(), count)).pipe(sample(sampling, length), toArray()))
  return kept.map(({ index }) => index)
}

describe('sample', () => {
  test('keeps every second frame of a 10 fps source at 5 fps', () => {
    const [a, b, c, d, e] = framesOf(streamOf(), 5) as [Frame, Frame, Frame, Frame, Frame]
    const scheduler = new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected)
    })
    scheduler.run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('   --a-b-c-d-e|', { a, b, c, d, e })
      const subscriptions = '^----------!'
      const expected = '     --a---c---e|'

      expectObservable(source.pipe(sample(byFps(5)))).toBe(expected, { a, c, e })
      expectSubscriptions(source.subscriptions).toBe(subscriptions)
    })
  })

  test('settles what it leaves out as skipped, and nothing else', async () => {
    const stream = streamOf()
    await lastValueFrom(from(framesOf(stream, 10)).pipe(sample(byFps(5)), toArray()))
    expect(stream.ledger.counts()).toMatchObject({ handedOut: 10, skipped: 5, framesInFlight: 5 })
  })

  test('passes every frame on where all are wanted', async () => {
    expect(await indicesOf(allFrames(), 4)).toEqual([0, 1, 2, 3])
  })

  test('spreads frames over a length that is given', async () => {
    expect(await indicesOf(uniform(4), 10, { frames: 10 })).toEqual([0, 3, 6, 9])
    expect(await indicesOf(uniformPerSecond(), 30, { frames: 30, averageFps: 10 })).toEqual([0, 14, 29])
  })

  test('keeps the frames at given places, of which it needs no length', async () => {
    expect(await indicesOf(atIndices([7, 1, 1]), 10)).toEqual([1, 1, 7])
  })

  test('hands a frame that is wanted twice out twice, each with a receipt of its own', async () => {
    const stream = streamOf()
    const kept = await lastValueFrom(from(framesOf(stream, 2)).pipe(sample(uniform(4), { frames: 2 }), toArray()))
    expect(kept.map(({ index, ptsMs }) => [index, ptsMs])).toEqual([[0, 0], [0, 0], [0, 0], [1, 100]])
    expect(new Set(kept.map(({ receipt }) => receipt)).size).toBe(4)
    expect(new Set(kept.map(({ data }) => data)).size).toBe(2)
    expect(stream.ledger.counts()).toMatchObject({ handedOut: 4, framesInFlight: 4 })
  })

  test('starts its slots again with each epoch', async () => {
    const frames = [...framesOf(streamOf(), 3), ...framesOf(streamOf({ epoch: 1 }), 3)]
    const kept = await lastValueFrom(from(frames).pipe(sample(byFps(1)), toArray()))
    expect(kept.map(({ stream, index }) => [stream.epoch, index])).toEqual([[0, 0], [1, 0]])
  })

  test('gives each subscription its own state', async () => {
    const operator = sample(byFps(1))
    for (let subscription = 0; subscription < 2; subscription++) {
      expect(await lastValueFrom(from(framesOf(streamOf(), 5)).pipe(operator, toArray()))).toHaveLength(1)
    }
  })

  test('refuses to tell keyframes from other frames', () => {
    const message = expect.stringContaining('to the source') as string
    for (const sampling of [byFps(1, { keyframesOnly: true }), allFrames({ keyframesOnly: true })]) {
      expect(() => sample(sampling)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message }))
    }
    expect(() => sample({ kind: 'fps', fps: 1, keyframesOnly: false })).not.toThrow()
  })

  test('refuses to spread frames without a length', () => {
    expect(() => sample(uniform(4))).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
    expect(() => sample(uniformPerSecond(), { frames: 10 })).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID' }),
    )
  })

  test('errors where frames are to be spread over a live stream', async () => {
    const frames = from(framesOf(streamOf({ isLive: true }), 3)).pipe(sample(uniform(2), { frames: 3 }))
    await expect(firstValueFrom(frames)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })
})
