import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'

import { describe, expect, test } from 'vitest'

import { typedQuestions } from '../../src/cli/typed-questions.js'

async function gather(questions: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = []
  for await (const question of questions) found.push(question)
  return found
}

test('gives each line that isn’t blank, also an unfinished last one', async () => {
  const input = new PassThrough()
  input.end('What?\n\n  \r\n  Which?  \r\nWhy')
  expect(await gather(typedQuestions(input, new AbortController().signal))).toEqual(['What?', 'Which?', 'Why'])
})

test('ends when it is aborted, while nothing is typed', async () => {
  const [input, abort] = [new PassThrough(), new AbortController()]
  const questions = typedQuestions(input, abort.signal)
  input.write('What?\n')
  expect(await questions.next()).toEqual({ done: false, value: 'What?' })
  const next = questions.next()
  abort.abort()
  expect(await next).toEqual({ done: true, value: undefined })
})

describe('on a terminal', () => {
  /** A fake one: Node's line editor works on any streams that say they are a terminal. */
  function terminal() {
    const [input, output, abort] = [new PassThrough(), new PassThrough(), new AbortController()]
    const questions = typedQuestions(Object.assign(input, { isTTY: true }), abort.signal, Object.assign(output, { isTTY: true, columns: 80 }))
    return { input, abort, questions, shown: () => stripVTControlCharacters(String(output.read() ?? '')) }
  }

  test('Ctrl-D leaves the line of the prompt', async () => {
    const { input, questions, shown } = terminal()
    input.write('What?\r')
    expect(await questions.next()).toEqual({ done: false, value: 'What?' })
    const next = questions.next()
    input.write('\x04')
    expect(await next).toEqual({ done: true, value: undefined })
    expect(shown().split('\n').slice(-2)).toEqual(['> ', ''])
  })

  test('so does Ctrl-C, before anybody hears of it', async () => {
    const { input, abort, questions, shown } = terminal()
    let before = ''
    process.once('SIGINT', () => {
      before = shown()
      abort.abort()
    })
    const next = questions.next()
    input.write('Wha\x03')
    expect(await next).toEqual({ done: true, value: undefined })
    expect(before).toBe('> Wha\n')
    expect(shown()).toBe('')
  })
})

test('gives nothing where it was aborted before', async () => {
  expect(await gather(typedQuestions(new PassThrough(), AbortSignal.abort()))).toEqual([])
})
