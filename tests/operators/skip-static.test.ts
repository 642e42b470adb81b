import { Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { encode } from '../../src/operators/encode.js'
import type { EncodeOptions } from '../../src/operators/encode.js'
import { checkSkipStatic } from '../../src/operators/skip-static.js'
import type { EncodedFrame, Frame, StreamInfo } from '../../src/types.js'
import { at, createFakeModel, createStream, features, settled } from './fakes.js'

/** A frame of one grey level, one second after the frame before. */
function frameOf(stream: StreamInfo, level: number, ptsMs?: number): Frame {
  const receipt = stream.ledger.frame()
  const index = receipt.position
  return { stream, index, ptsMs: ptsMs ?? index * 1000, width: 2, height: 2, data: new Uint8Array(12).fill(level), receipt }
}

function setUp(options: EncodeOptions = {}) {
  const [model, stream, frames] = [createFakeModel(), createStream(), new Subject<Frame>()]
  const encoded: EncodedFrame[] = []
  const ends: unknown[] = []
  const subscription = frames.pipe(encode(model, { batch: 1, skipStatic: true, ...options })).subscribe({
    next: (frame) => encoded.push(frame),
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  })
  /** Frames go in, and the tower gives each that reaches it its level. */
  const show = async (levels: readonly number[], { of = stream, fromMs }: { of?: StreamInfo; fromMs?: number } = {}) => {
    levels.forEach((level, place) => {
      frames.next(frameOf(of, level, fromMs === undefined ? undefined : fromMs + place * 1000))
    })
    for (let answered = -1; answered !== model.encodeCalls.length; ) {
      answered = model.encodeCalls.length
      for (const call of model.encodeCalls) call.resolve(call.input.map(({ data }) => features(data[0] ?? 0)))
      await settled()
    }
  }
  const levels = (): readonly (number | undefined)[] => encoded.map((frame) => frame.features.data[0])
  const towerRuns = (): number => model.encodeCalls.reduce((sum, { input }) => sum + input.length, 0)
  return { model, stream, frames, encoded, ends, subscription, show, levels, towerRuns, counts: () => stream.ledger.counts() }
}

const modelFailed = (): StreamError => new StreamError('MODEL_FAILED', 'The tower failed.')

describe('encode with skipStatic', () => {
  test('gives a frame that shows the same the features of the one before, with its own time', async () => {
    const { show, encoded, levels, towerRuns, counts } = setUp()
    await show([100, 102, 98, 200, 200])
    expect(levels()).toEqual([100, 100, 100, 200, 200])
    expect(encoded.map(({ index, ptsMs, position }) => [index, ptsMs, position])).toEqual(
      [0, 1, 2, 3, 4].map((place) => [place, place * 1000, place]),
    )
    expect(at(encoded, 1).features).toBe(at(encoded, 0).features)
    expect(encoded.map(({ encodeMs }) => encodeMs > 0)).toEqual([true, false, false, true, false])
    expect(towerRuns()).toBe(2)
    expect(counts()).toMatchObject({ handedOut: 5, encoded: 2, static: 3, framesInFlight: 0 })
  })

  test('is off unless asked for', async () => {
    for (const skipStatic of [undefined, false]) {
      const { show, towerRuns, counts } = setUp(skipStatic === undefined ? { skipStatic: false } : { skipStatic })
      await show([100, 100])
      expect(towerRuns()).toBe(2)
      expect(counts()).toMatchObject({ encoded: 2, static: 0 })
    }
  })

  test('sees a slow change: it compares with what was encoded last', async () => {
    const { show, levels } = setUp()
    await show([100, 103, 106, 109, 112])
    expect(levels()).toEqual([100, 100, 106, 106, 112])
  })

  test('goes by the difference it is told', async () => {
    const { show, levels } = setUp({ skipStatic: { maxDifference: 0 } })
    await show([100, 100, 101])
    expect(levels()).toEqual([100, 100, 101])
    const { show: showAll, levels: allLevels } = setUp({ skipStatic: { maxDifference: 255 } })
    await showAll([0, 255])
    expect(allLevels()).toEqual([0, 0])
  })

  test('encodes again after a minute of media time, or when it is told', async () => {
    const { show, counts } = setUp()
    await show(Array<number>(121).fill(7))
    expect(counts()).toMatchObject({ encoded: 3, static: 118 })
    const often = setUp({ skipStatic: { refreshMs: 2000 } })
    await often.show([7, 7, 7, 7, 7])
    expect(often.counts()).toMatchObject({ encoded: 3, static: 2 })
    const never = setUp({ skipStatic: { refreshMs: Infinity } })
    await never.show(Array<number>(200).fill(7))
    expect(never.counts()).toMatchObject({ encoded: 1, static: 199 })
  })

  test('begins anew with each epoch', async () => {
    const { show, stream, towerRuns, counts } = setUp()
    await show([7, 7])
    await show([7, 7], { of: { ...stream, epoch: 1 }, fromMs: 0 })
    expect(towerRuns()).toBe(2)
    expect(counts()).toMatchObject({ encoded: 2, static: 2 })
  })

  test('goes on where the stream is only described anew, with other questions', async () => {
    const { show, stream, towerRuns, counts } = setUp()
    await show([7, 7])
    await show([7, 7], { of: { ...stream, questions: ['Who?'] } })
    expect(towerRuns()).toBe(1)
    expect(counts()).toMatchObject({ encoded: 1, static: 3 })
  })

  test('begins anew with another stream', async () => {
    const { show, stream, towerRuns } = setUp()
    await show([7, 7])
    await show([7, 7], { of: { ...stream, id: 'another' } })
    expect(towerRuns()).toBe(2)
  })

  test('begins anew with each subscription', async () => {
    const [model, stream] = [createFakeModel(), createStream()]
    const operator = encode(model, { skipStatic: true })
    for (let subscription = 1; subscription <= 2; subscription++) {
      const frames = new Subject<Frame>()
      const open = frames.pipe(operator).subscribe()
      frames.next(frameOf(stream, 7))
      await settled()
      expect(model.encodeCalls).toHaveLength(subscription)
      open.unsubscribe()
    }
  })

  test('hands the tower only what is new of a batch', async () => {
    const { model, show, levels, counts } = setUp({ batch: 4 })
    await show([1, 50, 50, 52, 100, 50])
    // The first goes alone: batches take what is there.
    expect(model.encodeCalls.map(({ input }) => input.map(({ data }) => data[0]))).toEqual([[1], [50, 100], [50]])
    expect(levels()).toEqual([1, 50, 50, 50, 100, 50])
    expect(counts()).toMatchObject({ encoded: 4, static: 2 })
  })

  test('waits for a batch that is still under way', async () => {
    const { model, frames, stream, encoded, counts } = setUp({ concurrency: 2 })
    frames.next(frameOf(stream, 7))
    frames.next(frameOf(stream, 7))
    await settled()
    expect([model.encodeCalls.length, encoded.length]).toEqual([1, 0])
    at(model.encodeCalls, 0).resolve([features(7)])
    await settled()
    expect(at(encoded, 1).features).toBe(at(encoded, 0).features)
    expect(counts()).toMatchObject({ encoded: 1, static: 1, framesInFlight: 0 })
  })

  test('encodes what repeats a frame that the model failed on', async () => {
    const { model, frames, stream, levels, show, counts } = setUp({ concurrency: 2, retries: 0 })
    frames.next(frameOf(stream, 7))
    frames.next(frameOf(stream, 7))
    await settled()
    at(model.encodeCalls, 0).reject(modelFailed())
    await settled()
    expect(model.encodeCalls).toHaveLength(2)
    await show([7, 7])
    expect(levels()).toEqual([7, 7, 7])
    expect(counts()).toMatchObject({ failed: 1, encoded: 2, static: 1, framesInFlight: 0 })
  })

  test('ends with an error that is not a frame’s, and accounts for what repeated it', async () => {
    const { model, frames, stream, ends, counts } = setUp({ concurrency: 2 })
    frames.next(frameOf(stream, 7))
    frames.next(frameOf(stream, 7))
    await settled()
    const disposed = new StreamError('MODEL_DISPOSED', 'It is gone.')
    at(model.encodeCalls, 0).reject(disposed)
    await settled()
    expect(ends).toEqual([disposed])
    expect(counts()).toMatchObject({ dropped: { stopped: 2 }, framesInFlight: 0 })
  })
})

describe('checkSkipStatic', () => {
  test('fills in defaults', () => {
    expect(checkSkipStatic(false)).toBeUndefined()
    expect(checkSkipStatic(true)).toEqual({ maxDifference: 4, refreshMs: 60_000 })
    expect(checkSkipStatic({ maxDifference: 9 })).toEqual({ maxDifference: 9, refreshMs: 60_000 })
  })

  test.each([
    ['maxDifference', { maxDifference: -1 }],
    ['maxDifference', { maxDifference: 256 }],
    ['maxDifference', { maxDifference: NaN }],
    ['refreshMs', { refreshMs: 0 }],
    ['refreshMs', { refreshMs: '1 s' }],
    ['threshold', { threshold: 3 }],
    ['skipStatic', 'yes'],
  ])('refuses a wrong %s: %j', (path, options) => {
    const message = expect.stringContaining(path) as string
    const refused = expect.objectContaining({ code: 'SETTING_INVALID', message }) as Error
    expect(() => encode(createFakeModel(), { skipStatic: options as object })).toThrow(refused)
  })
})
