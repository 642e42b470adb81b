import { EMPTY, Subject, filter, of, take, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'

import type { Result } from '../../src/envelope.js'
import { StreamError } from '../../src/errors.js'
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import type { RunEvent } from '../../src/service/events.js'
import { start } from '../../src/service/start.js'
import type { FrameStream, Source, SourceContext } from '../../src/sources/source.js'
import { synthetic } from '../../src/sources/synthetic.js'
import { at, createFakeModel, createInstantModel, createStream, settled } from '../operators/fakes.js'
import { createFakeSink, createHandSource } from './fakes.js'

const askEach: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model, { batch: 1 }), slidingWindow({ frames: 1 }), answer(model, 'What?'))

function run(pipeline: Partial<Pipeline> & Pick<Pipeline, 'sources'>) {
  const started = start(definePipeline({ name: 'test', model: createInstantModel(), stream: askEach, ...pipeline }))
  const [answers, events]: [Result[], RunEvent[]] = [[], []]
  started.answers$.subscribe((result) => answers.push(result))
  started.events$.subscribe((event) => events.push(event))
  started.done.catch(() => undefined)
  return { ...started, answers, events, kinds: () => events.map(({ kind }) => kind) }
}

/** A source that fails as soon as it is opened. */
const brokenSource = (id: string): Source => ({
  ...{ kind: 'fake', id },
  streams: throwError(() => new StreamError('VIDEO_NOT_FOUND', `${id} is gone.`)),
})

const countOf = (results: readonly Result[], id: string): number =>
  results.filter(({ source }) => source.id === id).length

describe('sources of a run', () => {
  test('are listed with their state, their streams and what became of their frames', async () => {
    const door = createHandSource('door', { isLive: true })
    const { sources, stop, status } = run({ sources: [door, synthetic({ id: 'clip', frames: 3 })] })
    await settled()
    door.push(2)
    await expect.poll(() => sources.list().map(({ state }) => state)).toEqual(['running', 'ended'])
    expect(sources.list()).toMatchObject([
      { id: 'door', kind: 'fake', streams: [{ id: 'door', counts: { handedOut: 2, encoded: 2 }, coverage: 1 }] },
      { id: 'clip', kind: 'synthetic', streams: [], totals: { handedOut: 3, answered: 3, delivered: 3 } },
    ])
    expect(status()).toMatchObject({ state: 'running', model: { name: 'fake-model' }, totals: { handedOut: 5 } })
    await stop()
    expect(status()).toMatchObject({ state: 'over', totals: { handedOut: 5, framesInFlight: 0 } })
  })

  test('can be added while others run, which aren’t disturbed', async () => {
    const door = createHandSource('door', { isLive: true })
    const { sources, stop, answers, kinds } = run({ sources: [door] })
    await settled()
    sources.add(synthetic({ id: 'clip', frames: 3 }))
    await expect.poll(() => countOf(answers, 'clip')).toBe(3)
    door.push(1)
    await stop()
    expect(countOf(answers, 'door')).toBe(1)
    expect(kinds()).toContain('source-added')
  })

  test('a paused one hands nothing out until it is resumed', async () => {
    const { sources, done, answers } = run({ sources: [createHandSource('door', { isLive: true })] })
    sources.pause('door')
    sources.add(synthetic({ id: 'clip', frames: 40, maxFramesInFlight: 1 }))
    sources.pause('clip')
    await settled()
    const before = sources.list().map(({ state, totals }) => [state, totals.handedOut])
    sources.resume('clip')
    await expect.poll(() => countOf(answers, 'clip')).toBe(40)
    expect(before).toEqual([
      ['paused', 0],
      ['paused', 0],
    ])
    await sources.remove('door')
    await done
  })

  test('a removed one finishes what was taken, alone', async () => {
    const [door, yard] = [createHandSource('door', { isLive: true }), createHandSource('yard', { isLive: true })]
    const { sources, stop, answers, kinds } = run({ sources: [door, yard] })
    await settled()
    door.push(3)
    await sources.remove('door')
    expect([countOf(answers, 'door'), door.frames.observed, yard.frames.observed]).toEqual([3, false, true])
    yard.push(1)
    await stop()
    expect(countOf(answers, 'yard')).toBe(1)
    expect(sources.list().map(({ id }) => id)).toEqual(['yard'])
    expect(kinds()).toContain('source-removed')
  })

  test('the counts of a removed one stay in the totals', async () => {
    const { sources, status, stop } = run({ sources: [createHandSource('door', { isLive: true })] })
    sources.add(synthetic({ id: 'clip', frames: 3 }))
    await expect.poll(() => sources.list()[1]?.state).toBe('ended')
    await sources.remove('clip')
    expect(status().totals).toMatchObject({ handedOut: 3, answered: 3, delivered: 3 })
    await stop()
  })

  test('an unknown id and one that is there already are told of', async () => {
    const { sources, stop } = run({ sources: [createHandSource('door')] })
    const unknown: unknown = expect.objectContaining({
      code: 'SOURCE_UNKNOWN',
      message: 'There is no source "dor". There are: door.',
    })
    expect(() => {
      sources.pause('dor')
    }).toThrow(unknown)
    await expect(sources.remove('dor')).rejects.toEqual(unknown)
    expect(() => {
      sources.add(createHandSource('door'))
    }).toThrow('There is a source "door" already')
    await stop()
  })

  test('none is taken any more once the run is stopping', async () => {
    const [model, door] = [createFakeModel(), createHandSource('door')]
    const { sources, stop } = run({ model, sources: [door] })
    const late: unknown = expect.objectContaining({
      code: 'ABORTED',
      message: 'The run is stopping or over: start another for "late".',
    })
    const add = (): void => {
      sources.add(createHandSource('late'))
    }
    await settled()
    door.push(1)
    await settled()
    const stopping = stop({ drainTimeoutMs: 0 })
    expect(add).toThrow(late)
    await stopping
    expect(add).toThrow(late)
  })

  test('one that is added while the declared ones begin is begun, too, and once', async () => {
    const [early, late] = [createHandSource('early'), createHandSource('late')]
    const { sources, events$, events, stop } = run({ sources: [createHandSource('door', { isLive: true }), early] })
    const beginning = events$.pipe(filter(({ kind }) => kind === 'stream-start'))
    beginning.pipe(take(1)).subscribe(() => {
      sources.add(late)
    })
    await settled()
    expect(late.frames.observed).toBe(true)
    await stop()
    const begun = events.flatMap((event) => (event.kind === 'stream-start' ? [event.streamId] : []))
    expect(begun.sort()).toEqual(['door', 'early', 'late'])
  })

  test('a failed one says with what', async () => {
    const { sources, done } = run({ sources: [brokenSource('clip')] })
    await expect(done).rejects.toMatchObject({ code: 'VIDEO_NOT_FOUND' })
    expect(sources.list()).toMatchObject([{ state: 'failed', error: { code: 'VIDEO_NOT_FOUND', message: 'clip is gone.' } }])
  })

  test('a failure is forgotten with its source, and no other', async () => {
    const door = createHandSource('door', { isLive: true })
    const { sources, stop, done } = run({ sources: [door] })
    await settled()
    for (const id of ['first', 'second', 'third']) sources.add(brokenSource(id))
    await sources.remove('first')
    await sources.remove('third')
    await stop().catch(() => undefined)
    await expect(done).rejects.toMatchObject({ message: 'second is gone.' })
  })

  test('a run whose failed sources were removed ends well', async () => {
    const { sources, stop } = run({ sources: [createHandSource('door', { isLive: true })] })
    await settled()
    sources.add(brokenSource('typo'))
    await sources.remove('typo')
    await expect(stop()).resolves.toBeUndefined()
  })
})

describe('a run that is over', () => {
  /** Two files are read, a third one waits; then the sink fails. */
  async function failing(close?: () => Promise<void>) {
    const sink = { ...createFakeSink(), write: () => Promise.reject(new Error('no space left')), ...(close && { close }) }
    const files = ['a', 'b', 'c'].map((id) => createHandSource(id))
    // Such a run waits for sources, also when all that it was given have ended.
    const started = run({ sources: [], sinks: [sink] })
    await settled()
    for (const source of files) started.sources.add(source)
    await settled()
    at(files, 0).push(1)
    return started
  }

  test('because a sink failed has begun no further stream, and all its sources can be removed', async () => {
    const { sources, events, done } = await failing()
    await expect(done).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect(events.filter(({ kind }) => kind === 'stream-start')).toHaveLength(2)
    expect(sources.list().map(({ state, streams }) => [state, streams])).toEqual(Array(3).fill(['ended', []]))
    for (const id of ['a', 'b', 'c']) await sources.remove(id)
    expect(sources.list()).toEqual([])
  })

  test('takes no source while its sinks are still being closed', async () => {
    let [isClosing, closeIt] = [false, (): void => undefined]
    const { sources, done } = await failing(() => {
      isClosing = true
      return new Promise((resolve) => (closeIt = resolve))
    })
    await expect.poll(() => isClosing).toBe(true)
    expect(() => {
      sources.add(createHandSource('late'))
    }).toThrow(expect.objectContaining({ code: 'ABORTED' }))
    closeIt()
    await expect(done).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })

  test('before its model was there lets its sources be removed', async () => {
    const { sources, done } = run({ model: './no-such-bundle', sources: [createHandSource('door')] })
    await expect(done).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' })
    await sources.remove('door')
    expect(sources.list()).toEqual([])
  })
})

describe('a stream', () => {
  const source = (stream: Omit<FrameStream, 'info'>): Source => ({
    ...{ kind: 'fake', id: 'topic' },
    streams: of({ info: createStream({ id: 'key' }), ...stream }),
  })

  test('whose error the source has dealt with doesn’t fail the run', async () => {
    const error = new StreamError('MESSAGE_INVALID', 'No key.')
    const { done, events } = run({ sources: [source({ frames: throwError(() => error), handles: (e) => e === error })] })
    await expect(done).resolves.toBeUndefined()
    expect(events).toContainEqual(expect.objectContaining({ kind: 'stream-end', outcome: 'error', error }))
  })

  test('that is revoked lets go at once of what is under way', async () => {
    const revoked = new AbortController()
    const [model, hand] = [createFakeModel(), createHandSource('key')]
    const { done } = run({
      model,
      sources: [source({ frames: hand.frames, revoked: revoked.signal })],
    })
    await settled()
    hand.push(1)
    revoked.abort()
    await done
    expect(hand.stream.ledger.counts()).toMatchObject({ dropped: { stopped: 1 }, framesInFlight: 0 })
    expect(hand.stream.ledger.oldestNeeded()).toBe(0)
  })
})

describe('a source that keeps account of what was delivered', () => {
  test('is told to stop, and ends the run when it is done', async () => {
    const streams = new Subject<FrameStream>()
    let context: SourceContext | undefined
    const open: Source['open'] = (given) => {
      context = given
      return streams
    }
    const { done, stop, events } = run({ sources: [{ kind: 'fake', id: 'topic', streams: EMPTY, open }] })
    await settled()
    context?.notify({ kind: 'lag', message: 'It lags.', fields: { partition: 0, lag: 3 } })
    let isOver = false
    void done.then(() => (isOver = true))
    void stop()
    await settled()
    expect([context?.stop.aborted, context?.delivery, isOver]).toEqual([true, 'at-least-once', false])
    streams.complete()
    await done
    expect(events).toContainEqual(expect.objectContaining({ kind: 'source-notice', sourceId: 'topic' }))
  })
})

describe('a drain', () => {
  test('that takes too long lets go of what is left, and says so', async () => {
    const [model, hand] = [createFakeModel(), createHandSource('door', { isLive: true })]
    const { stop, events, status } = run({ model, sources: [hand] })
    await settled()
    hand.push(2)
    await stop({ drainTimeoutMs: 0 })
    expect(events).toContainEqual(expect.objectContaining({ kind: 'drain-timeout' }))
    expect(status().totals).toMatchObject({ handedOut: 2, dropped: { stopped: 2 }, framesInFlight: 0 })
  })
})

test('a slow sink doesn’t hold the others', async () => {
  const [slow, fast] = [createFakeSink({ isSlow: true }), createFakeSink()]
  const { done, answers } = run({ sources: [synthetic({ frames: 4 })], sinks: [slow, fast] })
  await expect.poll(() => fast.results.length).toBe(4)
  expect([slow.results.length, answers.length]).toEqual([1, 0])
  for (let count = 0; count < 4; count += 1) {
    await expect.poll(() => slow.waiting.length).toBe(count + 1)
    slow.waiting[count]?.resolve()
  }
  await done
  expect(answers).toHaveLength(4)
})

test('a pipeline without a model refuses a chain that uses one', async () => {
  const { done } = run({ model: null, sources: [synthetic({ frames: 1 })] })
  await expect(done).rejects.toMatchObject({ code: 'PIPELINE_INVALID', message: expect.stringContaining('`model: null`') as string })
})

test('exactly-once wants a source that can be read again', () => {
  expect(() => run({ delivery: 'exactly-once', sources: [synthetic()] })).toThrow(
    "`delivery: 'exactly-once'` goes from Kafka to Kafka",
  )
})
