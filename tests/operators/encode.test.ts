import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { encode } from '../../src/operators/encode.js'
import type { EncodeOptions } from '../../src/operators/encode.js'
import { heldFeatureBytes } from '../../src/operators/held-features.js'
import type { EncodedFrame, Frame } from '../../src/types.js'
import { at, createFakeModel, createFrame, createInstantModel, createStream, features, settled } from './fakes.js'

/** An `encode` at work: frames go in by hand, what comes out is kept. */
function setUp(options: EncodeOptions = { batch: 1 }) {
  const [model, stream, frames] = [createFakeModel(), createStream(), new Subject<Frame>()]
  const encoded: EncodedFrame[] = []
  const ends: unknown[] = []
  const subscription = frames.pipe(encode(model, options)).subscribe({
    next: (frame) => encoded.push(frame),
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  })
  const push = (count: number): void => {
    const first = stream.ledger.counts().handedOut
    for (let index = first; index < first + count; index += 1) frames.next(createFrame(stream, index))
  }
  return { model, stream, frames, encoded, ends, subscription, push, counts: () => stream.ledger.counts() }
}

const modelFailed = (): StreamError => new StreamError('MODEL_FAILED', 'The tower failed.')

describe('encode', () => {
  test('encodes frames in order and settles each as it is emitted', async () => {
    const { model, frames, encoded, ends, push, counts } = setUp({ batch: 1, concurrency: 2 })
    push(2)
    await settled()
    at(model.encodeCalls, 1).resolve([features(1)])
    await settled()
    expect(counts()).toMatchObject({ encoded: 0, framesInFlight: 2 })

    at(model.encodeCalls, 0).resolve([features(0)])
    await settled()
    expect(encoded.map(({ index, ptsMs, features: { data } }) => [index, ptsMs, data[0]])).toEqual([
      [0, 0, 0],
      [1, 1000, 1],
    ])
    expect(counts()).toMatchObject({ encoded: 2, framesInFlight: 0 })
    frames.complete()
    expect(ends).toEqual(['complete'])
  })

  test('says what each frame is to the model: what its source says, or what it is told', async () => {
    const kindsGiven = async (options: EncodeOptions) => {
      const { model, stream, frames } = setUp(options)
      frames.next(createFrame(stream, 0))
      await settled()
      at(model.encodeCalls, 0).resolve([features(0)])
      frames.next({ ...createFrame(stream, 1), kind: 'picture' })
      await settled()
      return model.encodeCalls.map(({ input }) => at(input, 0).kind)
    }
    expect(await kindsGiven({})).toEqual([undefined, 'picture'])
    expect(await kindsGiven({ kind: 'picture' })).toEqual(['picture', 'picture'])
    expect(await kindsGiven({ kind: 'frame' })).toEqual(['frame', 'frame'])
    expect(() => encode(createFakeModel(), { kind: 'photo' as 'picture' })).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })

  test('hands the model batches of what waits, without the records', async () => {
    const { model, push } = setUp({ batch: 3 })
    push(5)
    await settled()
    at(model.encodeCalls, 0).resolve([features(0)])
    await settled()
    const shapesOf = ({ input }: (typeof model.encodeCalls)[number]) =>
      input.map(({ data, width, height }) => [data[0], width, height])
    expect(model.encodeCalls.map(shapesOf)).toEqual([
      [[0, 2, 2]],
      [[1, 2, 2], [2, 2, 2], [3, 2, 2]],
    ])
  })

  test('an encoded frame holds no pixels and no receipt, and its features are counted', async () => {
    const { model, encoded, push } = setUp()
    const before = heldFeatureBytes()
    push(1)
    await settled()
    const made = features(0)
    at(model.encodeCalls, 0).resolve([made])
    await settled()
    expect(heldFeatureBytes() - before).toBe(made.data.byteLength)
    expect(Object.keys(at(encoded, 0)).sort()).toEqual(['arrivedAtMs', 'encodeMs', 'features', 'index', 'position', 'ptsMs', 'stream'])
  })

  test('lets pixels go as soon as the tower has run, before the frame has its turn', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const { model, stream, frames } = setUp({ batch: 1, concurrency: 2 })
    const pixels = [0, 1].map((index) => {
      const frame = createFrame(stream, index)
      frames.next(frame)
      return new WeakRef(frame.data)
    })
    await settled()
    // The second is ready and waits for the first.
    at(model.encodeCalls, 1).resolve([features(1)])
    model.encodeCalls.pop()
    await settled()
    collectGarbage()
    expect(pixels.map((reference) => reference.deref() === undefined)).toEqual([false, true])
  })

  test.each([
    ['questions', 'question', { kind: 'answered' }],
    ['deliveries', 'delivery', { kind: 'delivered' }],
  ] as const)('waits while as many %s as `questionsAhead` are unsettled', async (_name, open, outcome) => {
    const { model, stream, push } = setUp({ batch: 1, questionsAhead: 2 })
    const receipts = [stream.ledger[open](), stream.ledger[open]()]
    push(1)
    await settled()
    expect(model.encodeCalls).toHaveLength(0)

    at(receipts, 0).settle(outcome as never)
    await settled()
    expect(model.encodeCalls).toHaveLength(1)
  })

  test('tries a frame again, then leaves it out and goes on', async () => {
    const { model, encoded, ends, push, counts } = setUp({ batch: 1, retries: 1 })
    push(2)
    for (const call of [0, 1]) {
      await settled()
      at(model.encodeCalls, call).reject(modelFailed())
    }
    await settled()
    at(model.encodeCalls, 2).resolve([features(1)])
    await settled()
    expect(encoded.map(({ index }) => index)).toEqual([1])
    expect(counts()).toMatchObject({ encoded: 1, failed: 1, framesInFlight: 0 })
    expect(ends).toEqual([])
  })

  test('one bad frame does not take its batch along', async () => {
    const model = createInstantModel()
    const picky = {
      ...model,
      encode: (...[pictures]: Parameters<typeof model.encode>) =>
        pictures.some(({ data }) => data[0] === 2) ? Promise.reject(modelFailed()) : model.encode(pictures),
    }
    const [stream, frames, encoded] = [createStream(), new Subject<Frame>(), [] as number[]]
    frames.pipe(encode(picky, { batch: 8 })).subscribe(({ index }) => encoded.push(index))
    for (let index = 0; index < 5; index += 1) frames.next(createFrame(stream, index))
    await settled()
    expect(encoded).toEqual([0, 1, 3, 4])
    expect(stream.ledger.counts()).toMatchObject({ encoded: 4, failed: 1, framesInFlight: 0 })
  })

  test('eight failures in a row are the end', async () => {
    const { model, ends, push, counts } = setUp({ batch: 1, retries: 0 })
    push(9)
    for (let call = 0; call < 8; call += 1) {
      expect(ends).toEqual([])
      await settled()
      at(model.encodeCalls, call).reject(modelFailed())
    }
    await settled()
    expect(ends).toEqual([expect.objectContaining({ code: 'MODEL_FAILED' })])
    expect(counts()).toMatchObject({ failed: 8, dropped: { stopped: 1 }, framesInFlight: 0 })
  })

  test('failures are counted anew after a good frame', async () => {
    const { model, ends, push, counts } = setUp({ batch: 1, retries: 0 })
    push(15)
    for (let call = 0; call < 15; call += 1) {
      await settled()
      if (call === 7) at(model.encodeCalls, call).resolve([features(call)])
      else at(model.encodeCalls, call).reject(modelFailed())
    }
    await settled()
    expect(ends).toEqual([])
    expect(counts()).toMatchObject({ encoded: 1, failed: 14, framesInFlight: 0 })
  })

  test('a stream without a single good frame ends with the failure', async () => {
    const { model, frames, ends, push } = setUp({ batch: 1, retries: 0 })
    push(1)
    frames.complete()
    await settled()
    at(model.encodeCalls, 0).reject(modelFailed())
    await settled()
    expect(ends).toEqual([expect.objectContaining({ code: 'MODEL_FAILED' })])
  })

  test.each([new StreamError('MODEL_DISPOSED', 'The model is gone.'), new TypeError('a mistake in code')])(
    'ends at once with an error that is not the frame’s: %s',
    async (error) => {
      const { model, frames, ends, push, counts } = setUp()
      push(2)
      await settled()
      at(model.encodeCalls, 0).reject(error)
      await settled()
      expect(ends).toEqual([error])
      expect(frames.observed).toBe(false)
      expect(counts()).toMatchObject({ dropped: { stopped: 2 }, framesInFlight: 0 })
    },
  )

  test('unsubscribe aborts the model and accounts for every frame', async () => {
    const { model, subscription, push, counts } = setUp({ batch: 2 })
    push(4)
    await settled()
    subscription.unsubscribe()
    expect(at(model.encodeCalls, 0).signal?.aborted).toBe(true)
    expect(counts()).toMatchObject({ handedOut: 4, dropped: { stopped: 4 }, framesInFlight: 0 })
  })

  test('unsubscribe while waiting for questions leaves nothing behind', async () => {
    const { model, stream, subscription, push, counts } = setUp({ questionsAhead: 1 })
    const question = stream.ledger.question()
    push(1)
    await settled()
    subscription.unsubscribe()
    question.settle({ kind: 'answered' })
    await settled()
    expect(model.encodeCalls).toHaveLength(0)
    expect(counts()).toMatchObject({ dropped: { stopped: 1 }, framesInFlight: 0 })
  })

  test('a source that is not paced ends with PIPELINE_INVALID, and every frame is accounted for', async () => {
    const { model, ends, push, counts } = setUp({ batch: 1, queue: 3 })
    push(6)
    for (let call = 0; call < 4; call += 1) {
      await settled()
      at(model.encodeCalls, call).resolve([features(call)])
    }
    await settled()
    expect(ends).toEqual([expect.objectContaining({ code: 'PIPELINE_INVALID' })])
    // One worked on, three waiting, one too many; the sixth came when nobody listened any more.
    expect(counts()).toMatchObject({ encoded: 4, dropped: { stopped: 1 }, framesInFlight: 1 })
  })

  test.each([{ concurrency: 0 }, { batch: 0 }, { questionsAhead: 0 }, { retries: -1 }])('refuses %o', (options) => {
    expect(() => encode(createFakeModel(), options)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
