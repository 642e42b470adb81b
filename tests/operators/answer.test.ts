import { Subject, from, lastValueFrom, toArray } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import type { Result } from '../../src/envelope.js'
import { StreamError } from '../../src/errors.js'
import { answer } from '../../src/operators/answer.js'
import type { AnswerOptions } from '../../src/operators/answer.js'
import { makeClip } from '../../src/operators/clip-rule.js'
import { bindModel } from '../../src/operators/run-context.js'
import type { AnswerEvent } from '../../src/operators/run-context.js'
import type { Clip, StreamInfo } from '../../src/types.js'
import { at, createEncodedFrame, createFakeModel, createInstantModel, createStream } from './fakes.js'
import { generation, settled, visualTokens } from './fakes.js'

function createClip(stream: StreamInfo, indices: readonly number[] = [0, 1]): Clip {
  return makeClip(indices.map((index) => ({ frame: createEncodedFrame(stream, index), lostBefore: 0 })))
}

/** An `answer` at work: clips go in by hand, what comes out is kept. */
function setUp(questions: string | readonly string[] = 'What?', options: AnswerOptions = {}) {
  const [fake, stream, clips] = [createFakeModel(), createStream(), new Subject<Clip>()]
  const events: AnswerEvent[] = []
  const model = bindModel(fake, { pipeline: 'test', emit: (event) => events.push(event) })
  const results: Result[] = []
  const ends: unknown[] = []
  const subscription = clips.pipe(answer(model, questions, options)).subscribe({
    next: (result) => results.push(result),
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  })
  return { fake, stream, clips, events, results, ends, subscription, counts: () => stream.ledger.counts() }
}

const modelFailed = (): StreamError => new StreamError('MODEL_FAILED', 'The decoder failed.')

describe('answer', () => {
  test('connects a clip once and asks its questions side by side; results come in order all the same', async () => {
    const { fake, stream, clips, results } = setUp(['First?', 'Second?'])
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    expect(fake.connectCalls).toHaveLength(1)
    expect(fake.generateCalls.map(({ input }) => input.question)).toEqual(['First?', 'Second?'])
    at(fake.generateCalls, 1).resolve(generation('Two.'))
    await settled()
    expect(results).toEqual([])
    at(fake.generateCalls, 0).resolve(generation('One.'))
    await settled()
    expect(results.map((result) => result.kind === 'answer' && result.answer)).toEqual(['One.', 'Two.'])
  })

  test('connects a clip once and answers its questions in turn, where that is asked for', async () => {
    const { fake, stream, clips, results, ends, counts } = setUp(['First?', 'Second?'], { concurrency: 1 })
    clips.next(createClip(stream))
    clips.complete()
    await settled()
    expect(counts()).toMatchObject({ asked: 2, questionsInFlight: 2 })
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    expect(fake.generateCalls.map(({ input }) => input.question)).toEqual(['First?'])

    at(fake.generateCalls, 0).resolve(generation('One.'))
    await settled()
    expect(counts()).toMatchObject({ answered: 1, questionsInFlight: 1 })
    at(fake.generateCalls, 1).resolve(generation('Two.'))
    await settled()

    expect(fake.connectCalls).toHaveLength(1)
    expect(results.map((result) => result.kind === 'answer' && result.answer)).toEqual(['One.', 'Two.'])
    expect(ends).toEqual(['complete'])
    expect(counts()).toMatchObject({ answered: 2, questionsInFlight: 0 })
  })

  test('an answer explains itself', async () => {
    const { fake, stream, clips, results } = setUp('What?', { maxNewTokens: 64 })
    const clip = { ...createClip(stream, [3, 9]), coverage: 0.5, warnings: ['The file is cut off.'] }
    clips.next(clip)
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    at(fake.generateCalls, 0).resolve({ ...generation('That.'), isTruncated: true })
    await settled()

    const result = at(results, 0)
    expect(resultSchema.parse(result)).toEqual(JSON.parse(JSON.stringify(result)))
    expect(result).toMatchObject({
      kind: 'answer',
      pipeline: 'test',
      source: { id: 'clip', kind: 'fake', epoch: 0 },
      clip: { startMs: 3000, endMs: 9000, coverage: 0.5, capturedAt: null, frames: [{ index: 3 }, { index: 9 }] },
      question: 'What?',
      answer: 'That.',
      finishReason: 'stop',
      model: { name: 'fake-model', precision: 'fp32', device: 'cpu' },
      tokens: { visual: 4, prompt: 9, answer: 2 },
      timingsMs: { encode: 6, connect: 7, prefill: 11, decode: 22 },
      degraded: ['The file is cut off.', 'The end of the prompt was cut at the length limit of the model.'],
    })
  })

  test('says what was left after the last frame of its clip had come', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(5000)
    const { fake, stream, clips, results } = setUp('What?')
    const frames = createClip(stream, [3, 9]).frames.map((frame, place) => ({ ...frame, arrivedAtMs: 3000 + place * 1000 }))
    clips.next({ ...createClip(stream, [3, 9]), frames })
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    at(fake.generateCalls, 0).resolve(generation('That.'))
    await settled()
    const result = at(results, 0)
    if (result.kind !== 'answer') throw new Error('Expected an answer.')
    expect(result.answerAfterLastFrameMs).toBe(1000)
    clock.mockRestore()
  })

  test('the id is that of what was asked of what', async () => {
    const idOf = async (question: string, options: AnswerOptions): Promise<string> => {
      const { fake, stream, clips, results } = setUp(question, options)
      clips.next(createClip(stream))
      await settled()
      at(fake.connectCalls, 0).resolve(visualTokens(4))
      await settled()
      at(fake.generateCalls, 0).resolve(generation('Any.'))
      await settled()
      return at(results, 0).id
    }
    expect(await idOf('What?', {})).toBe(await idOf('What?', { seed: 3, maxNewTokens: 512 }))
    expect(await idOf('What?', { template: 'fake-template' })).toBe(await idOf('What?', {}))
    const others = [idOf('Who?', {}), idOf('What?', { maxNewTokens: 8 }), idOf('What?', { template: 'other' })]
    expect(new Set(await Promise.all([idOf('What?', {}), ...others])).size).toBe(4)
  })

  test('questions of the stream take the place of the pipeline’s', async () => {
    const { fake, clips } = setUp(['The pipeline’s?'])
    clips.next(createClip(createStream({ questions: ['Its own?'] })))
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    expect(fake.generateCalls.map(({ input }) => input.question)).toEqual(['Its own?'])
  })

  test('no question at all ends the stream', () => {
    const { stream, clips, ends } = setUp([])
    clips.next(createClip(stream))
    expect(ends).toEqual([expect.objectContaining({ code: 'PIPELINE_INVALID' })])
  })

  test('hands the model checked settings with their defaults', async () => {
    const { fake, stream, clips } = setUp('What?', { temperature: 0.5, template: 'phi' })
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    const { maxNewTokens, temperature, topP, seed, template } = at(fake.generateCalls, 0).input.options
    expect({ maxNewTokens, temperature, topP, seed, template }).toEqual({
      ...{ maxNewTokens: 512, temperature: 0.5, topP: 1, seed: 0 },
      template: 'phi',
    })
  })

  test('events tell of pieces of text; the output holds whole answers only', async () => {
    const { fake, stream, clips, events, results } = setUp('What?')
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    const call = at(fake.generateCalls, 0)
    call.input.options.onDelta?.('A red ')
    call.input.options.onDelta?.('circle.')
    expect(results).toEqual([])
    call.resolve(generation('A red circle.'))
    await settled()

    const { id } = at(results, 0)
    expect(events).toEqual([
      { kind: 'answer-start', id, streamId: 'clip', question: 'What?' },
      { kind: 'answer-delta', id, streamId: 'clip', text: 'A red ' },
      { kind: 'answer-delta', id, streamId: 'clip', text: 'circle.' },
      { kind: 'answer-end', id, streamId: 'clip', outcome: 'stop' },
    ])
  })

  test('tries again after an error that can be retried', async () => {
    const { fake, stream, clips, results, events } = setUp('What?')
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).reject(modelFailed())
    await settled()
    at(fake.connectCalls, 1).resolve(visualTokens(4))
    await settled()
    at(fake.generateCalls, 0).resolve(generation('Yes.'))
    await settled()
    expect(results).toMatchObject([{ kind: 'answer', answer: 'Yes.' }])
    expect(events.map(({ kind }) => kind)).toEqual(['answer-start', 'answer-end'])
  })

  test('then gives an error result and goes on with the next question', async () => {
    const set = setUp(['First?', 'Second?'], { retries: 1, concurrency: 1 })
    const { fake, stream, clips, results, events, ends: outputEnds, counts } = set
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    for (const call of [0, 1]) {
      await settled()
      at(fake.generateCalls, call).reject(modelFailed())
    }
    await settled()
    at(fake.generateCalls, 2).resolve(generation('Two.'))
    await settled()

    expect(results).toMatchObject([
      { kind: 'error', question: 'First?', error: { code: 'MODEL_FAILED', message: 'The decoder failed.' } },
      { kind: 'answer', question: 'Second?', answer: 'Two.' },
    ])
    expect(resultSchema.parse(results[0])).toEqual(JSON.parse(JSON.stringify(results[0])))
    const ends = events.filter(({ kind }) => kind === 'answer-end')
    expect(ends).toMatchObject([{ outcome: 'error' }, { outcome: 'stop' }])
    expect(outputEnds).toEqual([])
    expect(counts()).toMatchObject({ answered: 1, questionsFailed: 1, questionsInFlight: 0 })
  })

  test.each([
    new StreamError('PART_UNKNOWN', 'There is no template `fie`.'),
    new StreamError('MODEL_DISPOSED', 'The model is gone.'),
    new TypeError('a mistake in code'),
  ])('an error that is not the question’s ends the stream: %s', async (error) => {
    const { fake, stream, clips, results, ends, counts } = setUp(['First?', 'Second?'])
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).reject(error)
    await settled()
    expect({ results, ends }).toEqual({ results: [], ends: [error] })
    expect(counts()).toMatchObject({ asked: 2, questionsFailed: 2, questionsInFlight: 0 })
    expect(fake.connectCalls).toHaveLength(1)
  })

  test('an error of the source comes after the answers to what was asked', async () => {
    const { fake, stream, clips, results, ends } = setUp('What?')
    const broken = new StreamError('VIDEO_DAMAGED', 'The file broke.')
    clips.next(createClip(stream))
    clips.error(broken)
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    expect(ends).toEqual([])
    at(fake.generateCalls, 0).resolve(generation('Still.'))
    await settled()
    expect(results).toMatchObject([{ answer: 'Still.' }])
    expect(ends).toEqual([broken])
  })

  test('unsubscribe aborts the model and accounts for every question', async () => {
    const { fake, stream, clips, subscription, counts } = setUp(['First?', 'Second?'])
    clips.next(createClip(stream))
    await settled()
    at(fake.connectCalls, 0).resolve(visualTokens(4))
    await settled()
    subscription.unsubscribe()
    expect(at(fake.generateCalls, 0).signal?.aborted).toBe(true)
    expect(counts()).toMatchObject({ asked: 2, questionsFailed: 2, questionsInFlight: 0 })
    expect(clips.observed).toBe(false)
  })

  test.each(['pipeline', 'stream'])('all questions that the %s asks of a clip are asked, however many', async (whose) => {
    const many = Array.from({ length: 1_100 }, (_, index) => `Question ${index}?`)
    const stream = createStream(whose === 'stream' ? { questions: many } : {})
    const ask = answer(createInstantModel(), whose === 'pipeline' ? many : [])
    const asked = from([createClip(stream), createClip(stream, [2])]).pipe(ask, toArray())
    const results = await lastValueFrom(asked)
    expect(results.map(({ question }) => question)).toEqual([...many, ...many])
    expect(stream.ledger.counts()).toMatchObject({ asked: 2_200, answered: 2_200 })
  })

  test('more waiting clips than `queue` end the stream, and no question of theirs is left open', async () => {
    const { fake, stream, clips, ends, counts } = setUp(['First?', 'Second?'], { queue: 1, concurrency: 1 })
    for (let index = 0; index < 3; index += 1) clips.next(createClip(stream, [index]))
    expect(clips.observed).toBe(false)
    // Of the third clip only the first question was opened.
    expect(counts()).toMatchObject({ asked: 5, questionsFailed: 1, questionsInFlight: 4 })
    while (ends.length === 0) {
      await settled()
      for (const call of fake.connectCalls) call.resolve(visualTokens(4))
      for (const call of fake.generateCalls) call.resolve(generation('Any.'))
    }
    expect(ends).toEqual([expect.objectContaining({ code: 'PIPELINE_INVALID' })])
    expect(counts()).toMatchObject({ answered: 4, questionsInFlight: 0 })
  })

  test.each([
    ['', {}],
    [['Right?', ' '], {}],
    ['What?', { maxNewTokens: 0 }],
    ['What?', { temperature: -1 }],
    ['What?', { topP: 1.5 }],
    ['What?', { seed: 0.5 }],
    ['What?', { template: '' }],
    ['What?', { retries: -1 }],
  ])('refuses %o with %o', (questions, options) => {
    expect(() => answer(createFakeModel(), questions, options)).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID' }),
    )
  })
})
