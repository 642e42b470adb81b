import { Subject, from, lastValueFrom, map, toArray } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import { createLedger } from '../../src/ledger.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import type { Clip, EncodedFrame } from '../../src/types.js'
import { createEncodedFrame, createStream } from './fakes.js'

type Options = Parameters<typeof slidingWindow>[0]

const stream = createStream()
const LETTERS = 'abcdefghijklmnopqrst'
/** Frames named by letters, one a second of media time. */
const frames = Object.fromEntries(Array.from(LETTERS, (letter, index) => [letter, createEncodedFrame(stream, index)]))
const firstThree = [0, 1, 2].map((index) => createEncodedFrame(stream, index))
const lettersOf = (clip: Clip): string => clip.frames.map(({ index }) => LETTERS.charAt(index)).join('')

/** Compares windows by the letters of their frames. */
function expectWindows(options: Options, marbles: { source: string; expected: string; values: object }) {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected)
  }).run(({ hot, expectObservable }) => {
    const windows = hot(marbles.source, frames).pipe(slidingWindow(options), map(lettersOf))
    expectObservable(windows).toBe(marbles.expected, marbles.values)
  })
}

function windowsOf(options: Options, list: readonly EncodedFrame[]): Promise<readonly Clip[]> {
  return lastValueFrom(from(list).pipe(slidingWindow(options), toArray()))
}

const secondsOf = (options: Options, times: readonly number[]): Promise<readonly (readonly number[])[]> =>
  windowsOf(options, times.map((seconds, index) => createEncodedFrame(stream, index, seconds * 1000))).then((clips) =>
    clips.map((clip) => clip.frames.map(({ ptsMs }) => ptsMs / 1000)),
  )

describe('slidingWindow by frames', () => {
  test('overlapping windows share frames', () => {
    expectWindows(
      { frames: 4, every: 2 },
      { source: 'abcdef|', expected: '---w-x|', values: { w: 'abcd', x: 'cdef' } },
    )
  })

  test('windows stand side by side by default', () => {
    expectWindows({ frames: 2 }, { source: 'abcd|', expected: '-w-x|', values: { w: 'ab', x: 'cd' } })
  })

  test('frames between windows are let go', () => {
    expectWindows({ frames: 2, every: 3 }, { source: 'abcde|', expected: '-w--x|', values: { w: 'ab', x: 'de' } })
  })

  test('the end emits the oldest open window once, if it holds a frame that was in none', () => {
    expectWindows(
      { frames: 4, every: 1 },
      { source: 'abc|', expected: '---(w|)', values: { w: 'abc' } },
    )
    expectWindows({ frames: 4, every: 2 }, { source: 'abcd|', expected: '---w|', values: { w: 'abcd' } })
    expectWindows(
      { frames: 4, every: 2 },
      { source: 'abcde|', expected: '---w-(x|)', values: { w: 'abcd', x: 'cde' } },
    )
  })

  test('the end lets a window go that is cut short, where `onPartial` is drop', () => {
    expectWindows({ frames: 4, onPartial: 'drop' }, { source: 'abc|', expected: '---|', values: {} })
  })

  test('a window cut short says so, a whole one doesn’t', async () => {
    const [whole, cut] = await windowsOf({ frames: 2 }, firstThree)
    expect(whole?.warnings).toEqual([])
    expect(cut?.warnings).toEqual(["The stream ended after 1 of the window's 2 frames."])
    expect(cut?.coverage).toBe(1)
  })

  test('an error passes, and the open window with it', () => {
    expectWindows({ frames: 2 }, { source: 'abc#', expected: '-w-#', values: { w: 'ab' } })
  })

  test('unsubscribe leaves the source and emits nothing', () => {
    const source = new Subject<EncodedFrame>()
    const clips: Clip[] = []
    const subscription = source.pipe(slidingWindow({ frames: 2 })).subscribe((clip) => clips.push(clip))
    source.next(createEncodedFrame(stream, 0))
    subscription.unsubscribe()
    expect({ clips, observed: source.observed }).toEqual({ clips: [], observed: false })
  })

  test('each subscription counts from its own first frame', async () => {
    const operator = slidingWindow({ frames: 2 })
    const source = from(firstThree)
    const run = () => lastValueFrom(source.pipe(operator, map(lettersOf), toArray()))
    expect(await run()).toEqual(['ab', 'c'])
    expect(await run()).toEqual(['ab', 'c'])
  })

  test('no window spans two epochs', async () => {
    const after = { ...stream, epoch: 1 }
    const list = [0, 1, 2].map((index) => createEncodedFrame(stream, index))
    const later = [0, 1].map((index) => createEncodedFrame(after, index))
    const clips = await windowsOf({ frames: 2 }, [...list, ...later])
    expect(clips.map((clip) => [clip.stream.epoch, lettersOf(clip)])).toEqual([
      [0, 'ab'],
      [0, 'c'],
      [1, 'ab'],
    ])
  })

  test('coverage counts the frames that were lost in the window, and no others', () => {
    const ledger = createLedger()
    const lossy = createStream({ ledger, health: () => ({ coverage: 0.5, warnings: ['cut off'] }) })
    const source = new Subject<EncodedFrame>()
    const clips: Clip[] = []
    source.pipe(slidingWindow({ frames: 2 })).subscribe((clip) => clips.push(clip))
    source.next(createEncodedFrame(lossy, 0))
    ledger.frame().settle({ kind: 'failed', code: 'MODEL_FAILED' })
    ledger.frame().settle({ kind: 'dropped', reason: 'late' })
    source.next(createEncodedFrame(lossy, 3))
    source.next(createEncodedFrame(lossy, 4))
    source.next(createEncodedFrame(lossy, 5))

    expect(clips.map(({ coverage }) => coverage)).toEqual([0.25, 0.5])
    expect(clips[0]?.warnings).toEqual([
      'cut off',
      '2 of 4 frames were lost: they failed in the model or were dropped.',
    ])
  })
})

describe('slidingWindow by seconds', () => {
  test('a window is complete with the first frame behind its end', () => {
    expectWindows(
      { seconds: 3, everySeconds: 2 },
      { source: 'abcdefg|', expected: '---w-x-(y|)', values: { w: 'abc', x: 'cde', y: 'efg' } },
    )
  })

  test('windows align to media time, so a replay from a window’s begin makes the same ones', async () => {
    const times = Array.from({ length: 40 }, (_, index) => 0.3 + index * 0.7)
    const all = await secondsOf({ seconds: 4, everySeconds: 2 }, times)
    const replay = await secondsOf({ seconds: 4, everySeconds: 2 }, times.filter((time) => time >= 10))
    expect(replay.length).toBeGreaterThan(5)
    expect(all.slice(-replay.length)).toEqual(replay)
  })

  test('steps of 0.1 s do not drift', async () => {
    const times = Array.from({ length: 1000 }, (_, index) => index / 10)
    const windows = await secondsOf({ seconds: 0.1 }, times)
    expect(windows).toEqual(times.map((time) => [time]))
  })

  test('a gap makes no windows of its own', async () => {
    expect(await secondsOf({ seconds: 4, everySeconds: 1 }, [0, 1, 2, 60, 61])).toEqual([
      [0, 1, 2],
      [60, 61],
    ])
  })

  test('frames between windows are let go', async () => {
    expect(await secondsOf({ seconds: 1, everySeconds: 3 }, [0, 0.5, 1, 2, 3, 3.5, 5])).toEqual([
      [0, 0.5],
      [3, 3.5],
    ])
  })

  test('the last window is whole where its last frame is shown to the end', async () => {
    const list = [0, 1, 2, 3].map((seconds) => createEncodedFrame(stream, seconds))
    const [whole] = await windowsOf({ seconds: 4, onPartial: 'drop' }, list)
    expect(whole?.warnings).toEqual([])
    expect(await windowsOf({ seconds: 6, onPartial: 'drop' }, list)).toEqual([])
    const [cut] = await windowsOf({ seconds: 6 }, list)
    expect(cut?.warnings).toEqual(["The stream ended before the window's 6 s were over."])
  })

  test.each([
    ['a first frame far from 0', [600], 1],
    ['the first frame after a gap', [0, 1, 2, 600], 1],
  ])('%s is no whole window: what went before says nothing of how long it is shown', async (_what, times, count) => {
    const list = times.map((seconds, index) => createEncodedFrame(stream, index, seconds * 1000))
    const cut = (await windowsOf({ seconds: 8 }, list)).at(-1)
    expect(cut?.frames).toHaveLength(count)
    expect(cut?.warnings).toEqual(["The stream ended before the window's 8 s were over."])
    const kept = await windowsOf({ seconds: 8, onPartial: 'drop' }, list)
    expect(kept.flatMap((clip) => clip.frames.map(({ ptsMs }) => ptsMs))).not.toContain(600_000)
  })

  test('more frames than `maxFrames` in a window end the stream', () => {
    new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected)
    }).run(({ hot, expectObservable }) => {
      const windows = hot('abcd|', frames).pipe(slidingWindow({ seconds: 60, maxFrames: 3 }))
      expectObservable(windows).toBe('---#', undefined, expect.objectContaining({ code: 'CLIP_TOO_LONG' }))
    })
  })

  test('holds the frames of one window only', async () => {
    // 3 frames a window at most: a fourth that is still held would end it.
    const times = Array.from({ length: 100 }, (_, index) => index)
    expect(await secondsOf({ seconds: 3, everySeconds: 1, maxFrames: 3 }, times)).toHaveLength(98)
  })
})

test.each([
  { frames: 0 },
  { frames: 2.5 },
  { frames: 2, every: 0 },
  { seconds: 0 },
  { seconds: Number.NaN },
  { seconds: 1, everySeconds: -1 },
  { seconds: 1, maxFrames: 0 },
  { frames: 2, onPartial: 'keep' as 'drop' },
])('slidingWindow refuses %o', (options) => {
  expect(() => slidingWindow(options)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})
