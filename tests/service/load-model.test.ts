import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { concat, defer, from, of } from 'rxjs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'

import { StreamError } from '../../src/errors.js'
import type { Pixels } from '../../src/model/model.js'
import type { AnswerEvent } from '../../src/operators/run-context.js'
import { toLoadedModel } from '../../src/service/load-model.js'
import { at, createFakeModel, createFrame, createInstantModel, features, settled } from '../operators/fakes.js'
import { createHandSource, createListSource } from './fakes.js'

describe('ask', () => {
  test('one question gives one answer', async () => {
    const answer = await toLoadedModel(createInstantModel()).ask(createListSource('clip', 3), 'What?')
    expect(answer).toMatchObject({ kind: 'answer', answer: 'echo: What?', source: { id: 'clip' }, question: 'What?' })
    expect(answer.clip.frames).toHaveLength(3)
  })

  test('several questions give as many answers, about frames that are encoded once', async () => {
    const instant = createInstantModel()
    let encoded = 0
    const model = toLoadedModel({
      ...instant,
      encode: (pictures) => {
        encoded += pictures.length
        return instant.encode(pictures)
      },
    })
    const answers = await model.ask(createListSource('clip', 3), ['First?', 'Second?'])
    expect(answers.map(({ answer }) => answer)).toEqual(['echo: First?', 'echo: Second?'])
    expect(encoded).toBe(3)
  })

  test('a path that ends as a picture\'s is read as one: one frame, which the model is told is a picture', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ask-picture-'))
    try {
      const path = join(folder, 'photo.webp')
      await sharp({ create: { width: 4, height: 3, channels: 3, background: '#aa3311' } }).webp().toFile(path)
      const instant = createInstantModel()
      const seen: Pixels[] = []
      const model = toLoadedModel({ ...instant, encode: (pictures) => (seen.push(...pictures), instant.encode(pictures)) })
      const { source, clip } = await model.ask(path, 'What?')
      expect([source.id, source.kind, clip.frames]).toEqual(['photo.webp', 'image', [{ index: 0, ptsMs: 0 }]])
      expect(seen).toMatchObject([{ width: 4, height: 3, kind: 'picture' }])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('tells of pieces of text', async () => {
    const events: AnswerEvent[] = []
    const options = { onEvent: (event: AnswerEvent) => void events.push(event) }
    await toLoadedModel(createInstantModel()).ask(createListSource('clip', 1), 'What?', options)
    expect(events.map((event) => (event.kind === 'answer-delta' ? event.text : event.kind))).toEqual([
      ...['answer-start', 'echo: ', 'What?', 'answer-end'],
    ])
  })

  test('a question that can’t be answered rejects with its code', async () => {
    const tooLong = new StreamError('PROMPT_TOO_LONG', 'The question is too long.')
    const model = toLoadedModel({ ...createInstantModel(), generate: () => Promise.reject(tooLong) })
    await expect(model.ask(createListSource('clip', 1), 'What?')).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
      message: 'The question is too long.',
    })
  })

  test.each(['What?', ['First?', 'Second?']])('a source without a frame has no answer to %j', async (asked) => {
    const asking = toLoadedModel(createInstantModel()).ask(createListSource('clip', 0), asked as string)
    await expect(asking).rejects.toMatchObject({ code: 'VIDEO_NO_FRAMES' })
  })

  test.each(['What?', ['First?', 'Second?']])('several streams are refused rather than mixed up: %j', async (asked) => {
    const [one, two] = [createListSource('one', 2), createListSource('two', 2)]
    const both = { ...one, streams: concat(one.streams, two.streams) }
    await expect(toLoadedModel(createInstantModel()).ask(both, asked as string)).rejects.toMatchObject({
      code: 'PIPELINE_INVALID',
    })
    expect(one.stream.ledger.counts()).toMatchObject({ framesInFlight: 0, questionsInFlight: 0 })
    expect(two.stream.ledger.counts()).toMatchObject({ handedOut: 0 })
  })

  test('one question where the stream carries several is refused; a list gets them all', async () => {
    const source = createHandSource('clip', { questions: ['Its first?', 'Its second?'] })
    const frames = defer(() => from([createFrame(source.stream, 0), createFrame(source.stream, 1)]))
    const own = { ...source, streams: of({ info: source.stream, frames }) }
    const model = toLoadedModel(createInstantModel())
    await expect(model.ask(own, 'What?')).rejects.toMatchObject({ code: 'PIPELINE_INVALID' })
    expect((await model.ask(own, [])).map(({ question }) => question)).toEqual(['Its first?', 'Its second?'])
  })

  test('the signal stops it, the model’s work and the source', async () => {
    const [fake, source, abort] = [createFakeModel(), createHandSource('clip'), new AbortController()]
    const asking = toLoadedModel(fake).ask(source, 'What?', { signal: abort.signal })
    source.push(1)
    await settled()
    abort.abort()
    await expect(asking).rejects.toMatchObject({ code: 'ABORTED' })
    expect(at(fake.encodeCalls, 0).signal?.aborted).toBe(true)
    expect(source.frames.observed).toBe(false)
    expect(source.stream.ledger.counts()).toMatchObject({ dropped: { stopped: 1 }, framesInFlight: 0 })
  })

  test('a file that isn’t there rejects with its code', async () => {
    await expect(toLoadedModel(createInstantModel()).ask('no-such-clip.mp4', 'What?')).rejects.toMatchObject({
      code: 'VIDEO_NOT_FOUND',
    })
  })

  test('is still the model it was made of', async () => {
    const fake = createFakeModel()
    const model = toLoadedModel(fake)
    expect(model.info).toBe(fake.info)
    const encoding = model.encode([{ data: new Uint8Array(3), width: 1, height: 1 }])
    at(fake.encodeCalls, 0).resolve([features(1)])
    expect(await encoding).toHaveLength(1)
    await model.dispose()
    expect(fake.isDisposed).toBe(true)
  })
})
