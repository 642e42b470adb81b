import { Writable } from 'node:stream'

import { describe, expect, test } from 'vitest'

import { answerOutput } from '../../src/cli/answer-output.js'
import { frameOutput } from '../../src/cli/frame-output.js'
import type { QuestionResult, Result } from '../../src/envelope.js'
import { StreamError } from '../../src/errors.js'
import { resolveGeneration } from '../../src/generation-settings.js'
import { makeClip } from '../../src/operators/clip-rule.js'
import { answerResult, errorResult } from '../../src/operators/result.js'
import type { Asked } from '../../src/operators/result.js'
import { createEncodedFrame, createStream, fakeInfo, generation } from '../operators/fakes.js'

const clip = makeClip([{ frame: createEncodedFrame(createStream(), 0), lostBefore: 0 }])
const about = (question: string): Asked => ({
  ...{ pipeline: 'ask', model: fakeInfo, clip, question },
  generation: resolveGeneration({}),
})
const answered = (question: string): Result => answerResult(about(question), { ...generation('Yes.'), connectMs: 1 })
const failed = (question: string): Result =>
  errorResult(about(question), new StreamError('PROMPT_TOO_LONG', 'The question is too long.'))

const print = (results: readonly Result[], questions: number) => printWith(answerOutput, results, questions)

async function printWith(outputOf: typeof answerOutput | typeof frameOutput, results: readonly Result[], questions: number) {
  let printed = ''
  const output = new Writable({
    write: (text: Buffer, _encoding, done) => {
      printed += text.toString()
      done()
    },
  })
  const { sink, throwIfFailed } = outputOf({ isJson: false, questions, output })
  for (const result of results) await sink.write(result)
  return { printed, throwIfFailed }
}

describe('frameOutput', () => {
  const later = { ...about('What?'), clip: makeClip([{ frame: createEncodedFrame(createStream(), 65), lostBefore: 0 }]) }
  const twoLines = answerResult(later, { ...generation('Yes,\nno.'), connectMs: 1 })

  test('one question: each answer behind the time of its frame', async () => {
    const { printed, throwIfFailed } = await printWith(frameOutput, [answered('What?'), twoLines], 1)
    expect(printed).toBe('0:00.000  Yes.\n1:05.000  Yes,\n  no.\n')
    expect(() => { throwIfFailed(false) }).not.toThrow()
    expect(() => { throwIfFailed(true) }).toThrow(expect.objectContaining({ code: 'ABORTED' }))
  })

  test('several: the question, too', async () => {
    const { printed } = await printWith(frameOutput, [answered('First?'), answered('Second?')], 2)
    expect(printed).toBe('0:00.000  First?\n  Yes.\n0:00.000  Second?\n  Yes.\n')
  })

  test('what was missing is told once, with the time of the first frame it is said of', async () => {
    const told: string[] = []
    const { sink } = frameOutput({ isJson: false, questions: 1, output: new Writable({ write: (_text, _encoding, done) => { done() } }), warn: (text) => told.push(text) })
    for (const result of [twoLines, twoLines]) await sink.write({ ...(result as QuestionResult), degraded: ['A frame is missing.'] })
    expect(told).toEqual(['At 1:05.000: A frame is missing.'])
  })

  test('the first that failed is told by its time, not by its text', async () => {
    const error = new StreamError('PROMPT_TOO_LONG', 'The question is too long.')
    const { printed, throwIfFailed } = await printWith(frameOutput, [answered('secret?'), errorResult(later, error), failed('secret?')], 1)
    expect(printed).toBe('0:00.000  Yes.\n')
    expect(() => { throwIfFailed(true) }).toThrow(
      expect.objectContaining({ code: 'PROMPT_TOO_LONG', message: 'At 1:05.000: The question is too long.' }),
    )
  })
})

describe('answerOutput', () => {
  test('a failed one of several is told by its place, not by its text', async () => {
    const { printed, throwIfFailed } = await print([answered('First?'), failed('secret?'), answered('Third?')], 3)
    expect(printed).toBe('First?\n  Yes.\nThird?\n  Yes.\n')
    const message = 'Question 2 of 3: The question is too long.'
    expect(throwIfFailed).toThrow(expect.objectContaining({ code: 'PROMPT_TOO_LONG', message }))
  })

  test('a lone one that failed is told as it is', async () => {
    const { printed, throwIfFailed } = await print([failed('secret?')], 1)
    expect(printed).toBe('')
    const message = 'The question is too long.'
    expect(throwIfFailed).toThrow(expect.objectContaining({ code: 'PROMPT_TOO_LONG', message }))
  })

  test('to be stopped before every question was answered is no success', async () => {
    const { throwIfFailed } = await print([answered('First?')], 2)
    expect(throwIfFailed).toThrow(expect.objectContaining({ code: 'ABORTED' }))
    expect((await print([answered('First?')], 1)).throwIfFailed).not.toThrow()
  })
})
