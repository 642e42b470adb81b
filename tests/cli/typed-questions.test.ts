import { PassThrough } from 'node:stream'

import { expect, test } from 'vitest'

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

test('gives nothing where it was aborted before', async () => {
  expect(await gather(typedQuestions(new PassThrough(), AbortSignal.abort()))).toEqual([])
})
