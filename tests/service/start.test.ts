import { Subject, of, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'

import type { Result } from '../../src/envelope.js'
import { StreamError } from '../../src/errors.js'
import type { LedgerCounts } from '../../src/ledger-counts.js'
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { wholeClip } from '../../src/operators/whole-clip.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import type { RunEvent } from '../../src/service/events.js'
import { start } from '../../src/service/start.js'
import type { FrameStream } from '../../src/sources/source.js'
import type { StreamInfo } from '../../src/types.js'
import { at, createFakeModel, createFrame, createInstantModel, createStream } from '../operators/fakes.js'
import { features, generation, settled, visualTokens } from '../operators/fakes.js'
import { createFakeSink, createHandSource, createListSource } from './fakes.js'

const askWhole: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model), wholeClip(), answer(model, 'What?'))
const askPairs: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model, { batch: 1 }), slidingWindow({ frames: 2 }), answer(model, 'What?'))
const askEach: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model, { batch: 1 }), slidingWindow({ frames: 1 }), answer(model, 'What?'))

/** Starts a pipeline and keeps what it tells. */
function run(pipeline: Partial<Pipeline> & Pick<Pipeline, 'sources'>) {
  const started = start(definePipeline({ name: 'test', model: createInstantModel(), stream: askWhole, ...pipeline }))
  const [answers, events, ends]: [Result[], RunEvent[], string[]] = [[], [], []]
  started.answers$.subscribe({ next: (result) => answers.push(result), complete: () => ends.push('answers') })
  started.events$.subscribe({ next: (event) => events.push(event), complete: () => ends.push('events') })
  // Every test looks at `done` itself; a rejection before that isn't unhandled.
  started.done.catch(() => undefined)
  return { ...started, answers, events, ends }
}

const sourceIds = (results: readonly Result[]): readonly string[] => results.map(({ source }) => source.id)

/** The promise of the ledger: everything that was opened was settled, and the sums hold. */
function expectAllSettled(...streams: readonly StreamInfo[]): void {
  for (const { ledger } of streams) {
    const counts = ledger.counts()
    expect(counts).toMatchObject({ framesInFlight: 0, questionsInFlight: 0, deliveriesInFlight: 0 })
    expect(sums(counts)).toEqual([counts.handedOut, counts.asked, counts.results])
  }
}

function sums(counts: LedgerCounts): readonly number[] {
  const dropped = Object.values(counts.dropped).reduce((sum, count) => sum + count, 0)
  return [
    counts.encoded + counts.static + counts.skipped + dropped + counts.failed,
    counts.answered + counts.questionsFailed,
    counts.delivered + counts.deliveriesFailed,
  ]
}

describe('start', () => {
  test('runs one chain a stream, and delivers every result to all sinks and to answers$', async () => {
    const sources = [createListSource('one', 3), createListSource('two', 5)]
    const sinks = [createFakeSink(), createFakeSink()]
    const { answers, ends, done } = run({ sources, sinks })
    await done
    expect([...sourceIds(answers)].sort()).toEqual(['one', 'two'])
    for (const sink of sinks) {
      expect(sink.results).toEqual(answers)
      expect(sink.calls).toEqual(['open', 'write', 'write', 'close'])
    }
    expect(answers.find(({ source }) => source.id === 'two')).toMatchObject({ pipeline: 'test', answer: 'echo: What?' })
    expect(ends).toEqual(['answers', 'events'])
    expectAllSettled(...sources.map(({ stream }) => stream))
  })

  test('events tell of the model, the streams and the text', async () => {
    const health = () => ({ coverage: 0.5, warnings: ['The file is cut off.'] })
    const source = createHandSource('one', { health })
    const { events, done } = run({ sources: [source] })
    await settled()
    source.push(1)
    source.frames.complete()
    await done
    expect(events.map(({ kind }) => kind)).toEqual([
      ...['model-ready', 'stream-start', 'answer-start', 'answer-delta', 'answer-delta', 'answer-end'],
      ...['stream-warning', 'stream-end'],
    ])
    expect(events.at(-1)).toMatchObject({ streamId: 'one', outcome: 'complete', counts: { encoded: 1, answered: 1 } })
  })

  test('stop finishes what was taken, and lets the open window go', async () => {
    const [model, source, sink] = [createFakeModel(), createHandSource('door', { isLive: true }), createFakeSink()]
    const { stop, done, answers, events } = run({ model, sources: [source], sinks: [sink], stream: askPairs })
    await settled()
    source.push(3)
    await settled()
    at(model.encodeCalls, 0).resolve([features(0)])
    await settled()
    const stopping = stop()
    expect(stopping).toBe(done)
    expect(source.frames.observed).toBe(false)

    for (const call of [1, 2]) {
      at(model.encodeCalls, call).resolve([features(call)])
      await settled()
    }
    at(model.connectCalls, 0).resolve(visualTokens(2))
    await settled()
    at(model.generateCalls, 0).resolve(generation('A pair.'))
    await stopping

    // Frames 0 and 1 were a whole window; frame 2 was half of the next one, which is asked nothing.
    expect(answers).toMatchObject([{ answer: 'A pair.', clip: { frames: [{ index: 0 }, { index: 1 }] } }])
    expect(sink.calls).toEqual(['open', 'write', 'close'])
    expect(model.generateCalls).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ kind: 'stream-end', outcome: 'stopped' })
    expect(model.isDisposed).toBe(false)
    expectAllSettled(source.stream)
  })

  test('stop begins no stream that was found and not begun', async () => {
    const sources = ['one', 'two', 'three'].map((id) => createHandSource(id))
    const { stop, events } = run({ sources })
    await settled()
    await stop()
    const begun = events.filter(({ kind }) => kind === 'stream-start')
    expect(begun).toMatchObject([{ streamId: 'one' }, { streamId: 'two' }])
  })

  test('finite streams are read two at a time, live ones all at once', async () => {
    const files = ['a', 'b', 'c'].map((id) => createHandSource(id))
    const cameras = ['x', 'y', 'z'].map((id) => createHandSource(id, { isLive: true }))
    const { stop } = run({ sources: [...files, ...cameras] })
    await settled()
    const observed = () => [...files, ...cameras].map(({ frames }) => frames.observed)
    expect(observed()).toEqual([true, true, false, true, true, true])
    at(files, 0).frames.complete()
    await settled()
    expect(observed()).toEqual([false, true, true, true, true, true])
    await stop()
  })

  test('a stream that fails is told of, and the others go on', async () => {
    const sources = ['good', 'first', 'second'].map((id) => createHandSource(id, { isLive: true }))
    const [good, first, second] = [at(sources, 0), at(sources, 1), at(sources, 2)]
    const { answers, events, done } = run({ sources })
    await settled()
    const broken = new StreamError('VIDEO_DAMAGED', 'The file broke.')
    const late = new StreamError('VIDEO_EMPTY', 'The file is empty.')
    first.push(2)
    first.frames.error(broken)
    await settled()
    second.frames.error(late)
    good.push(2)
    good.frames.complete()
    await expect(done).rejects.toBe(broken)
    expect(sourceIds(answers)).toEqual(['good'])
    expect(events.filter((event) => event.kind === 'stream-end')).toMatchObject([
      { streamId: 'first', outcome: 'error', error: broken, counts: { encoded: 2, asked: 0 } },
      { streamId: 'second', outcome: 'error', error: late },
      { streamId: 'good', outcome: 'complete' },
    ])
    expectAllSettled(...sources.map(({ stream }) => stream))
  })

  test('a source that can’t find its streams doesn’t take the others along', async () => {
    const lost = new StreamError('VIDEO_NOT_FOUND', 'There is no such folder.')
    const sources = [{ kind: 'fake', id: 'lost', streams: throwError(() => lost) }, createListSource('good', 1)]
    const { answers, events, done } = run({ sources })
    await expect(done).rejects.toBe(lost)
    expect(sourceIds(answers)).toEqual(['good'])
    expect(events).toContainEqual({ kind: 'source-error', sourceId: 'lost', error: lost })
  })

  test('streams that are found while it runs get a chain of their own', async () => {
    const found = new Subject<FrameStream>()
    const { answers, done } = run({ sources: [{ kind: 'fake', id: 'folder', streams: found }] })
    await settled()
    for (const id of ['first', 'second']) {
      const stream = createStream({ id })
      found.next({ info: stream, frames: of(createFrame(stream, 0)) })
      await settled()
    }
    found.complete()
    await done
    expect(sourceIds(answers)).toEqual(['first', 'second'])
  })

  test('a sink that fails stops everything with its cause, and all sinks are closed', async () => {
    const [model, source] = [createFakeModel(), createHandSource('door', { isLive: true })]
    const [slow, other] = [createFakeSink({ isSlow: true }), createFakeSink()]
    const { done, answers } = run({ model, sources: [source], sinks: [slow, other], stream: askPairs })
    await settled()
    source.push(5)
    for (const call of [0, 1, 2, 3]) {
      await settled()
      at(model.encodeCalls, call).resolve([features(call)])
    }
    for (const call of [0, 1]) {
      await settled()
      at(model.connectCalls, call).resolve(visualTokens(2))
      await settled()
      if (call === 0) at(model.generateCalls, call).resolve(generation('Lost.'))
    }
    await settled()
    const full = new Error('no space left')
    at(slow.waiting, 0).reject(full)
    await expect(done).rejects.toMatchObject({ code: 'SINK_FAILED', cause: full })

    expect(answers).toEqual([])
    expect(at(model.generateCalls, 1).signal?.aborted).toBe(true)
    expect(source.frames.observed).toBe(false)
    expect([slow.calls, other.calls]).toEqual([
      ['open', 'write', 'close'],
      ['open', 'write', 'close'],
    ])
    expectAllSettled(source.stream)
    expect(source.stream.ledger.counts()).toMatchObject({ delivered: 0, deliveriesFailed: 1 })
  })

  test('a slow sink gets one result at a time and makes encode wait', async () => {
    const [source, sink] = [createHandSource('door', { isLive: true }), createFakeSink({ isSlow: true })]
    const { stop, answers } = run({
      sources: [source],
      sinks: [sink],
      stream: (frames, { model }) => {
        const encodeFew = encode(model, { batch: 1, questionsAhead: 3 })
        return frames.pipe(encodeFew, slidingWindow({ frames: 1 }), answer(model, 'What?'))
      },
    })
    await settled()
    source.push(20)
    for (let round = 0; round < 20; round += 1) await settled()
    // Three results on their way, and those of the two questions that were open when the third one came.
    expect(sink.results).toHaveLength(1)
    expect(source.stream.ledger.counts()).toMatchObject({ encoded: 5, deliveriesInFlight: 5, framesInFlight: 15 })
    expect(answers).toEqual([])

    const stopping = stop()
    while (answers.length < 20) {
      sink.waiting.shift()?.resolve()
      await settled()
    }
    await stopping
    expectAllSettled(source.stream)
  })

  test('nothing is written any more once the drain took too long', async () => {
    const [source, sink] = [createHandSource('door', { isLive: true }), createFakeSink({ isSlow: true })]
    const { stop } = run({ sources: [source], sinks: [sink], stream: askEach })
    await settled()
    source.push(5)
    await expect.poll(() => source.stream.ledger.counts().deliveriesInFlight).toBe(5)
    at(sink.waiting, 0).resolve()
    await expect.poll(() => sink.waiting.length).toBe(2)
    await stop({ drainTimeoutMs: 0 })
    at(sink.waiting, 1).resolve()
    await settled()
    expect(sink.calls).toEqual(['open', 'write', 'write', 'close'])
    expectAllSettled(source.stream)
    expect(source.stream.ledger.counts()).toMatchObject({ delivered: 1, deliveriesFailed: 4 })
  })

  test('when one sink fails, the others are written to no more', async () => {
    const source = createHandSource('door', { isLive: true })
    const [slow, broken] = [createFakeSink({ isSlow: true }), createFakeSink({ isSlow: true })]
    const { done } = run({ sources: [source], sinks: [slow, broken], stream: askEach })
    await settled()
    source.push(3)
    await expect.poll(() => source.stream.ledger.counts().deliveriesInFlight).toBe(3)
    at(broken.waiting, 0).reject(new Error('no space left'))
    await expect(done).rejects.toMatchObject({ code: 'SINK_FAILED' })
    at(slow.waiting, 0).resolve()
    await settled()
    expect(slow.calls).toEqual(['open', 'write', 'close'])
  })

  test('a time limit that a timer can’t keep is refused, and nothing is stopped', async () => {
    const source = createHandSource('door', { isLive: true })
    const { stop, status } = run({ sources: [source] })
    await settled()
    expect(() => stop({ drainTimeoutMs: 2 ** 31 })).toThrow(
      expect.objectContaining({
        code: 'SETTING_INVALID',
        message: 'Expected `drainTimeoutMs` to be an integer from 0 to 2147483647, got `2147483648` (number).',
      }),
    )
    expect([status().state, source.frames.observed]).toEqual(['running', true])
    await stop({ drainTimeoutMs: 2 ** 31 - 1 })
  })

  test.each<readonly [string, () => Promise<void>]>([
    ['rejects', () => Promise.reject(new Error('no such directory'))],
    [
      'throws',
      () => {
        throw new Error('no such directory')
      },
    ],
  ])('a sink whose `open` %s ends the run before a source is opened', async (_how, open) => {
    const [source, good] = [createHandSource('one'), createFakeSink()]
    const bad = { ...createFakeSink(), open }
    const { done, events } = run({ sources: [source], sinks: [good, bad] })
    await expect(done).rejects.toMatchObject({ code: 'SINK_FAILED', cause: { message: 'no such directory' } })
    expect(events).toEqual([])
    expect(good.calls).toEqual(['open', 'close'])
    expect(bad.calls).toEqual(['close'])
  })

  test('a sink that can’t be closed fails the run, and the others are closed', async () => {
    const good = createFakeSink()
    const bad = { ...createFakeSink(), close: () => Promise.reject(new Error('power cut')) }
    const { done } = run({ sources: [createListSource('one', 1)], sinks: [bad, good] })
    await expect(done).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect(good.calls).toEqual(['open', 'write', 'close'])
  })

  test('a chain that is no Observable is told of', async () => {
    const { done } = run({ sources: [createListSource('one', 1)], stream: (() => undefined) as never })
    await expect(done).rejects.toMatchObject({ code: 'PIPELINE_INVALID' })
  })

  test('a bundle that isn’t there ends the run with its code', async () => {
    const { done } = run({ sources: [createListSource('one', 1)], model: './no-such-bundle' })
    await expect(done).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' })
  })
})
