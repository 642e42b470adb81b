import { Subject, from, lastValueFrom, toArray } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import { wholeClip } from '../../src/operators/whole-clip.js'
import type { Clip, EncodedFrame } from '../../src/types.js'
import { createEncodedFrame, createStream } from './fakes.js'

const stream = createStream()
const frames = { a: createEncodedFrame(stream, 0), b: createEncodedFrame(stream, 1), c: createEncodedFrame(stream, 2) }

const run = (test: Parameters<TestScheduler['run']>[0]) =>
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected)
  }).run(test)

describe('wholeClip', () => {
  test('gathers all frames into one clip when the stream ends', () => {
    const w: Clip = {
      stream,
      frames: [frames.a, frames.b],
      startMs: 0,
      endMs: 1000,
      coverage: 1,
      warnings: [],
      need: { from: 0, window: { place: 0, epoch: 0, from: 0, state: {} } },
    }
    run(({ hot, expectObservable }) => {
      expectObservable(hot('a-b-|', frames).pipe(wholeClip())).toBe('----(w|)', { w })
    })
  })

  test('a stream without frames gives no clip; an error passes without one', () => {
    run(({ hot, expectObservable }) => {
      expectObservable(hot('--|', frames).pipe(wholeClip())).toBe('--|')
      expectObservable(hot('ab#', frames).pipe(wholeClip())).toBe('--#')
    })
  })

  test('one frame more than `maxFrames` ends the stream instead of being left out', () => {
    const tooMany: unknown = expect.objectContaining({ code: 'CLIP_TOO_LONG' })
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('abc-|', frames)
      expectObservable(source.pipe(wholeClip({ maxFrames: 2 }))).toBe('--#', undefined, tooMany)
      expectSubscriptions(source.subscriptions).toBe('^-!')
    })
  })

  test('each epoch gives a clip of its own', async () => {
    const later = createEncodedFrame({ ...stream, epoch: 1 }, 0)
    const clips = await lastValueFrom(from([frames.a, frames.b, later]).pipe(wholeClip(), toArray()))
    expect(clips.map((clip) => [clip.stream.epoch, clip.frames.length])).toEqual([
      [0, 2],
      [1, 1],
    ])
  })

  test('coverage and warnings tell what the source and the model lost, up to the end', () => {
    const lossy = createStream({ health: () => ({ coverage: 0.8, warnings: ['The file is cut off.'] }) })
    const source = new Subject<EncodedFrame>()
    const clips: Clip[] = []
    source.pipe(wholeClip()).subscribe((clip) => clips.push(clip))
    source.next(createEncodedFrame(lossy, 0))
    lossy.ledger.frame().settle({ kind: 'skipped' })
    lossy.ledger.frame().settle({ kind: 'failed', code: 'MODEL_FAILED' })
    source.complete()
    expect(clips[0]?.coverage).toBeCloseTo(0.4)
    expect(clips[0]?.warnings).toEqual([
      'The file is cut off.',
      '1 of 2 frames were lost: they failed in the model or were dropped.',
    ])
  })

  test('unsubscribe leaves the source', () => {
    const source = new Subject<EncodedFrame>()
    source.pipe(wholeClip()).subscribe().unsubscribe()
    expect(source.observed).toBe(false)
  })

  test('refuses a bound below 1', () => {
    expect(() => wholeClip({ maxFrames: 0 })).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
