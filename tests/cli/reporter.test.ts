import { Writable } from 'node:stream'

import { Subject } from 'rxjs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { reportEvents } from '../../src/cli/report-events.js'
import { createReporter } from '../../src/cli/reporter.js'
import { openRunLog } from '../../src/cli/run-log.js'
import { StreamError } from '../../src/errors.js'
import { createLedger } from '../../src/ledger.js'
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { wholeClip } from '../../src/operators/whole-clip.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import type { RunEvent } from '../../src/service/events.js'
import { start } from '../../src/service/start.js'
import { createInstantModel, settled } from '../operators/fakes.js'
import { createHandSource } from '../service/fakes.js'

function setUp() {
  let written = ''
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString()
      done()
    },
  })
  return { reporter: createReporter(output), lines: () => written.split('\n').slice(0, -1) }
}

describe('createReporter', () => {
  test('a failure is one line, whatever is in its message', () => {
    const { reporter, lines } = setUp()
    reporter.failure(new StreamError('VIDEO_NOT_FOUND', 'There is no file a\n\u001b[2Jb.mp4.'))
    reporter.failure(new TypeError('a mistake'))
    reporter.failure('text')
    expect(lines()).toEqual([
      'tinyllava-stream: VIDEO_NOT_FOUND: There is no file a [2Jb.mp4.',
      'tinyllava-stream: unexpected error: TypeError: a mistake (--verbose shows where; please report it)',
      'tinyllava-stream: unexpected error: text (--verbose shows where; please report it)',
    ])
  })

  test('the same error is reported once', () => {
    const { reporter, lines } = setUp()
    const error = new StreamError('VIDEO_EMPTY', 'It is empty.')
    reporter.failure(error)
    reporter.failure(error)
    expect(lines()).toHaveLength(1)
  })

  test('details, stacks and causes are for who looks closer', () => {
    const { reporter, lines } = setUp()
    reporter.detail('unseen')
    reporter.beVerbose()
    reporter.detail('seen')
    reporter.failure(new StreamError('SINK_FAILED', 'No.', { cause: new Error('deeper') }))
    expect(lines()[0]).toBe('seen')
    expect(lines().join('\n')).toMatch(/StreamError: No\.\n {4}at [\s\S]*\[cause\]: Error: deeper/)
  })
})

test('reportEvents tells of streams, and not a word of questions and answers', () => {
  const { reporter, lines } = setUp()
  reporter.beVerbose()
  const events = new Subject<RunEvent>()
  reportEvents(events, reporter)
  const counts = createLedger().counts()
  const error = new StreamError('VIDEO_DAMAGED', 'It broke.')
  const about = { id: 'a', streamId: 'door' }
  for (const event of [
    { kind: 'stream-start', streamId: 'door', epoch: 0 },
    { kind: 'answer-start', ...about, question: 'secret?' },
    { kind: 'answer-delta', ...about, text: 'secret' },
    { kind: 'answer-end', ...about, outcome: 'stop' },
    { kind: 'stream-warning', streamId: 'door', message: 'It is cut off.' },
    { kind: 'source-error', sourceId: 'folder', error },
    { kind: 'stream-end', streamId: 'door', outcome: 'error', counts, error },
  ] satisfies readonly RunEvent[]) {
    events.next(event)
  }
  events.complete()
  const told = lines().filter((line) => !line.startsWith(' '))
  expect(told.slice(0, 3)).toEqual([
    'stream door begins',
    'warning: door: It is cut off.',
    'tinyllava-stream: VIDEO_DAMAGED: It broke.',
  ])
  expect(told.at(-1)).toContain('stream door ended: error')
  expect(lines().join()).not.toContain('secret')
})

test('reportEvents warns of what goes wrong with a source, also without --verbose, and shows no login', () => {
  const { reporter, lines } = setUp()
  const events = new Subject<RunEvent>()
  reportEvents(events, reporter)
  for (const kind of ['reconnect', 'epoch', 'frozen', 'kafka-lag', 'dead-letter']) {
    const notice = { kind, message: `what ${kind} means`, fields: { reason: 'rtsp://me:hunter2@door is away' } }
    events.next({ kind: 'source-notice', sourceId: 'door', notice })
  }
  const fields = '{"reason":"rtsp://***@door is away"}'
  expect(lines()).toEqual(
    ['reconnect', 'frozen', 'dead-letter'].map((kind) => `warning: source door: what ${kind} means ${fields}`),
  )
})

test('a run that is told of as text sums up the frames that were dropped since, until it is over', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { reporter, lines } = setUp()
  const camera = createHandSource('door', { isLive: true })
  const stream: Pipeline['stream'] = (frames, { model }) => frames.pipe(encode(model), wholeClip(), answer(model, 'What?'))
  const run = start(definePipeline({ name: 'test', model: createInstantModel(), sources: [camera], stream }))
  openRunLog({ logFormat: 'text' }, reporter)(run)
  await settled()
  const drop = (reason: string, count: number): void => {
    const { ledger } = camera.stream
    for (let index = 0; index < count; index += 1) ledger.frame().settle({ kind: 'dropped', reason })
  }
  vi.advanceTimersByTime(10_000)
  drop('buffer-full', 40)
  drop('frozen', 1)
  vi.advanceTimersByTime(20_000)
  drop('buffer-full', 2)
  vi.advanceTimersByTime(10_000)
  expect(lines()).toEqual([
    'warning: door: frames were dropped: 40 (buffer-full), 1 (frozen)',
    'warning: door: frames were dropped: 2 (buffer-full)',
  ])
  await run.stop()
  expect(vi.getTimerCount()).toBe(0)
})
