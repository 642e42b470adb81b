import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { describe, expect, test, vi } from 'vitest'

import { StreamError } from '../../src/errors.js'
import type { GenerateOptions, Model } from '../../src/model/model.js'
import type { AnswerEvent } from '../../src/operators/run-context.js'
import { toLoadedModel } from '../../src/service/load-model.js'
import { heldFeatureBytes } from '../../src/operators/held-features.js'
import { createInstantModel } from '../operators/fakes.js'
import { createHandSource, createListSource } from './fakes.js'

/** An instant model that counts what it does; `failing` questions are too long for it. */
function countingModel(failing: ReadonlySet<string> = new Set()) {
  const [instant, counts, rounds] = [createInstantModel(), { encoded: 0, connected: 0 }, [] as GenerateOptions['rounds'][]]
  const model: Model = {
    ...instant,
    encode: (pictures) => {
      counts.encoded += pictures.length
      return instant.encode(pictures)
    },
    connect: (frames) => {
      counts.connected += 1
      return instant.connect(frames)
    },
    generate: (visual, question, options) => {
      rounds.push(options?.rounds)
      if (failing.has(question)) return Promise.reject(new StreamError('PROMPT_TOO_LONG', 'It is too long.'))
      return instant.generate(visual, question, options)
    },
  }
  return { model: toLoadedModel(model), counts, rounds }
}

/** A model whose answers wait until the test gives them. */
function slowModel() {
  const [instant, answers] = [createInstantModel(), [] as { readonly question: string; readonly resolve: () => void }[]]
  const generate: Model['generate'] = async (visual, question, options) => {
    await new Promise<void>((resolve) => answers.push({ question, resolve }))
    return instant.generate(visual, question, options)
  }
  return { model: toLoadedModel({ ...instant, generate }), answers }
}

describe('a conversation', () => {
  test('each question is asked with the rounds before it, about a clip that is encoded and connected once', async () => {
    const { model, counts, rounds } = countingModel()
    const conversation = await model.converse(createListSource('clip', 3))
    const answers = [await conversation.ask('First?'), await conversation.ask('Second?'), await conversation.ask('Third?')]
    expect(answers.map(({ answer }) => answer)).toEqual(['echo: First?', 'echo: Second?', 'echo: Third?'])
    const [one, two] = [{ question: 'First?', answer: 'echo: First?' }, { question: 'Second?', answer: 'echo: Second?' }]
    expect(rounds).toEqual([[], [one], [one, two]])
    expect(conversation.rounds).toEqual([one, two, { question: 'Third?', answer: 'echo: Third?' }])
    expect(counts).toEqual({ encoded: 3, connected: 1 })
  })

  test('an answer says which rounds came before it, and has another id than without them', async () => {
    const { model } = countingModel()
    const conversation = await model.converse(createListSource('clip', 2))
    const [first, again] = [await conversation.ask('What?'), await conversation.ask('What?')]
    const alone = await model.ask(createListSource('clip', 2), 'What?')
    expect(first).not.toHaveProperty('rounds')
    expect(again.rounds).toEqual([{ question: 'What?', answer: 'echo: What?' }])
    expect([first.id, again.id === first.id]).toEqual([alone.id, false])
  })

  test('questions asked at once are answered in turn', async () => {
    const { model, rounds } = countingModel()
    const conversation = await model.converse(createListSource('clip', 1))
    await Promise.all([conversation.ask('First?'), conversation.ask('Second?')])
    expect(rounds.map((before) => before?.length)).toEqual([0, 1])
  })

  test('a question that can’t be answered leaves no trace, and its receipt is settled', async () => {
    const { model } = countingModel(new Set(['Long?']))
    const source = createListSource('clip', 1)
    const conversation = await model.converse(source)
    await expect(conversation.ask('Long?')).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
    await conversation.ask('Short?')
    expect(conversation.rounds).toEqual([{ question: 'Short?', answer: 'echo: Short?' }])
    expect(source.stream.ledger.counts()).toMatchObject({ questionsInFlight: 0 })
  })

  test('pieces of text are told of', async () => {
    const events: AnswerEvent[] = []
    const conversation = await countingModel().model.converse(createListSource('clip', 1))
    await conversation.ask('What?', { onEvent: (event) => void events.push(event) })
    expect(events.map(({ kind }) => kind)).toEqual(['answer-start', 'answer-delta', 'answer-delta', 'answer-end'])
  })

  test('a question without text is refused', async () => {
    const conversation = await countingModel().model.converse(createListSource('clip', 1))
    await expect(conversation.ask(' ')).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test('a source without a frame begins none', async () => {
    await expect(countingModel().model.converse(createListSource('clip', 0))).rejects.toMatchObject({ code: 'VIDEO_NO_FRAMES' })
  })

  test('an address that can’t be read rejects, as a question does', async () => {
    const { model } = countingModel()
    const beginning = model.converse('rtsp://camera.example/door')
    await expect(beginning).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test('the signal stops reading the video', async () => {
    const [source, abort] = [createHandSource('clip'), new AbortController()]
    const beginning = countingModel().model.converse(source, { signal: abort.signal })
    abort.abort()
    await expect(beginning).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('a question that waits for its turn', () => {
  test('is let go at once by its signal, and those behind it still wait for the one that is being answered', async () => {
    const { model, answers } = slowModel()
    const conversation = await model.converse(createListSource('clip', 1))
    const [abort, first] = [new AbortController(), conversation.ask('First?')]
    const second = conversation.ask('Second?', { signal: abort.signal })
    const third = conversation.ask('Third?')
    await vi.waitUntil(() => answers.length === 1)
    abort.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    await setImmediate()
    expect(answers.map(({ question }) => question)).toEqual(['First?'])
    answers[0]?.resolve()
    await first
    await vi.waitUntil(() => answers.length === 2)
    answers[1]?.resolve()
    await third
    expect(conversation.rounds.map(({ question }) => question)).toEqual(['First?', 'Third?'])
  })

  test('is never begun where its signal is aborted already', async () => {
    const conversation = await countingModel().model.converse(createListSource('clip', 1))
    await expect(conversation.ask('What?', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(conversation.rounds).toEqual([])
  })
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('what the tower made of the frames is let go before the first question', async () => {
  const [instant, before] = [createInstantModel(), heldFeatureBytes()]
  let whileConnecting = 0
  const connect: Model['connect'] = (frames) => {
    whileConnecting = heldFeatureBytes()
    return instant.connect(frames)
  }
  const conversation = await toLoadedModel({ ...instant, connect }).converse(createListSource('clip', 100))
  expect(whileConnecting).toBeGreaterThan(before)
  const isLetGo = async (): Promise<boolean> => {
    collectGarbage()
    await setImmediate()
    return heldFeatureBytes() <= before
  }
  await vi.waitUntil(isLetGo, { timeout: 30_000 })
  expect((await conversation.ask('What?')).clip.frames).toHaveLength(100)
})

test('`ask` takes earlier rounds, too', async () => {
  const { model, rounds } = countingModel()
  const earlier = [{ question: 'What?', answer: 'A dog.' }]
  const { rounds: told } = await model.ask(createListSource('clip', 1), 'Which colour is it?', { rounds: earlier })
  expect([rounds, told]).toEqual([[earlier], earlier])
})
