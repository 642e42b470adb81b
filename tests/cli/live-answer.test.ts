import { PassThrough } from 'node:stream'

import { expect, test } from 'vitest'

import { createLiveAnswer } from '../../src/cli/live-answer.js'
import type { AnswerEvent } from '../../src/operators/run-context.js'

const start: AnswerEvent = { kind: 'answer-start', id: 'id', streamId: 'clip', question: 'What?' }
const delta = (text: string): AnswerEvent => ({ kind: 'answer-delta', id: 'id', streamId: 'clip', text })

async function shown(events: readonly AnswerEvent[]): Promise<string> {
  const output = new PassThrough()
  const live = createLiveAnswer(output)
  for (const event of events) live.onEvent(event)
  await live.end()
  return String(output.read())
}

test('prints pieces as they come, and ends the line', async () => {
  expect(await shown([start, delta('A red'), delta(' circle.')])).toBe('A red circle.\n')
})

test('an answer that is begun again begins on a new line', async () => {
  expect(await shown([start, delta('A r'), start, delta('A red circle.')])).toBe('A r\nA red circle.\n')
})

test('steers no terminal', async () => {
  expect(await shown([start, delta('\u001b[2Jred')])).toBe(' [2Jred\n')
})

test('a closed output is told of at the end', async () => {
  const output = new PassThrough()
  output.on('error', () => undefined)
  output.destroy()
  const live = createLiveAnswer(output)
  live.onEvent(delta('red'))
  await expect(live.end()).rejects.toMatchObject({ code: 'SINK_FAILED' })
})
