import { Subject, of } from 'rxjs'
import { afterEach, describe, expect, test } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { wholeClip } from '../../src/operators/whole-clip.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import type { RunEvent } from '../../src/service/events.js'
import { createLogger, logRun } from '../../src/service/logs.js'
import type { LoggerOptions } from '../../src/service/logs.js'
import { start } from '../../src/service/start.js'
import type { Run } from '../../src/service/start.js'
import { createFrame, createInstantModel, fakeInfo, settled } from '../operators/fakes.js'
import { createFakeSink, createHandSource } from './fakes.js'

type Line = Readonly<Record<string, unknown>> & { readonly msg: string }

/** A log that keeps its lines. */
function keptLog(options: LoggerOptions = {}) {
  let text = ''
  const logger = createLogger({ ...options, destination: { write: (line) => void (text += line) } })
  const lines = (): readonly Line[] => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
  return { logger, lines, text: () => text }
}

const runs: Run[] = []
afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop({ drainTimeoutMs: 0 }).catch(() => undefined)
})

function logged(pipeline: Partial<Pipeline> & Pick<Pipeline, 'sources'>, options: LoggerOptions = {}) {
  const stream: Pipeline['stream'] = (frames, { model }) => frames.pipe(encode(model), wholeClip(), answer(model, 'A private question?'))
  const run = start(definePipeline({ name: 'test', model: createInstantModel(), stream, ...pipeline }))
  run.done.catch(() => undefined)
  runs.push(run)
  const [log, dropSummaries] = [keptLog(options), new Subject<void>()]
  logRun(run, log.logger, { dropSummaries })
  return { ...log, run, dropSummaries }
}

/** Logs these events alone. */
function linesOf(...events: readonly RunEvent[]): readonly Line[] {
  const { sources, status } = logged({ sources: [createHandSource('door')] }).run
  const { logger, lines } = keptLog({ level: 'debug' })
  logRun({ answers$: of(), events$: of(...events), sources, status }, logger)
  return lines().slice(1, -1)
}

describe('logRun', () => {
  test('one line an event, from beginning to end, with values in fields', async () => {
    const source = createHandSource('door', { health: () => ({ coverage: 0.5, warnings: ['The file is cut off.'] }) })
    const { run, lines, text } = logged({ sources: [source], sinks: [createFakeSink()] })
    await settled()
    source.push(2)
    source.frames.complete()
    await run.done
    expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
      ['info', 'the run begins'],
      ['info', 'the model is ready'],
      ['info', 'a stream begins'],
      ['warn', 'a stream is defective'],
      ['info', 'a stream ended'],
      ['info', 'the run is over'],
    ])
    const [begin, model, , warning, end, over] = lines()
    expect(begin).toMatchObject({ sources: [{ id: 'door', kind: 'fake' }], sinks: ['fake'] })
    expect(begin?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(model).toMatchObject({ model: 'fake-model', device: 'cpu' })
    expect(warning).toMatchObject({ streamId: 'door', detail: 'The file is cut off.' })
    expect(end).toMatchObject({ streamId: 'door', outcome: 'complete', counts: { encoded: 2, answered: 1 } })
    expect(over).toMatchObject({ totals: { handedOut: 2, delivered: 1 } })
    expect(text()).not.toContain('private')
  })

  test('what is private is in no line, at any level', async () => {
    const source = createHandSource('door')
    const { run, text } = logged({ sources: [source] }, { level: 'debug' })
    await settled()
    source.push(1)
    source.frames.complete()
    await run.done
    expect(text()).toContain('a stream ended')
    expect(text()).not.toContain('private')
  })

  test('a stream that fails says its code; a mistake in code also where it is', async () => {
    const [lost, mistake] = [createHandSource('lost'), createHandSource('mistake')]
    const { run, lines } = logged({ sources: [lost, mistake] })
    await settled()
    lost.frames.error(new StreamError('VIDEO_DAMAGED', 'Lost rtsp://admin:hunter2@door/live.'))
    mistake.frames.error(new TypeError('of code'))
    await expect(run.done).rejects.toThrow()
    const errors = lines().filter(({ level }) => level === 'error')
    expect(errors).toMatchObject([
      { streamId: 'lost', error: { code: 'VIDEO_DAMAGED', message: 'Lost rtsp://***@door/live.', canRetry: false } },
      { streamId: 'mistake', error: { code: 'UNEXPECTED', message: 'TypeError: of code' } },
    ])
    expect(errors[1]?.error).toMatchObject({ stack: expect.stringContaining('logs.test.ts') as unknown })
    expect(errors[0]?.error).not.toHaveProperty('stack')
  })

  test('dropped frames are summed up: a line a stream where there are new ones, and never one a frame', async () => {
    const sources = ['door', 'gate'].map((id) => createHandSource(id, { isLive: true }))
    const { run, lines, dropSummaries } = logged({ sources })
    await settled()
    const drop = (place: number, count: number, reason = 'latest'): void => {
      const stream = sources[place]?.stream
      for (let index = 0; index < count && stream !== undefined; index += 1) {
        createFrame(stream, index).receipt.settle({ kind: 'dropped', reason })
      }
    }
    const summaries = () => lines().filter(({ msg }) => msg === 'frames were dropped')
    dropSummaries.next()
    expect(summaries()).toEqual([])
    drop(0, 100)
    drop(0, 1, 'frozen')
    dropSummaries.next()
    dropSummaries.next()
    expect(summaries()).toMatchObject([{ level: 'warn', streamId: 'door', dropped: { latest: 100, frozen: 1 } }])
    drop(0, 2)
    drop(1, 3)
    dropSummaries.next()
    expect(summaries().slice(1)).toMatchObject([
      { streamId: 'door', dropped: { latest: 2 } },
      { streamId: 'gate', dropped: { latest: 3 } },
    ])
    await run.stop()
    expect(dropSummaries.observed).toBe(false)
  })

  test('building the demo model is a line a stage', () => {
    const building = (stage: string, doneBytes: number): RunEvent => ({ kind: 'model-build', stage, doneBytes, totalBytes: 9 })
    const lines = linesOf(building('vision', 1), building('vision', 2), building('decoder', 3))
    expect(lines).toMatchObject([
      { msg: 'building the demo model', stage: 'vision' },
      { msg: 'building the demo model', stage: 'decoder' },
    ])
  })

  test('notices keep their fields, and what goes wrong is a warning', () => {
    const notice = (kind: string): RunEvent => ({
      kind: 'source-notice',
      sourceId: 'door',
      notice: { kind, message: 'what happened', fields: { attempt: 3, url: 'rtsp://a:hunter2@door', token: 'hunter2' } },
    })
    const fields = { attempt: 3, url: 'rtsp://***@door', token: '***', sourceId: 'door', detail: 'what happened' }
    expect(linesOf(notice('reconnect'), notice('kafka-lag'), notice('epoch'))).toMatchObject([
      { level: 'warn', msg: 'source notice', notice: 'reconnect', ...fields },
      { level: 'debug', msg: 'source notice', notice: 'kafka-lag', ...fields },
      { level: 'info', msg: 'source notice', notice: 'epoch', ...fields },
    ])
    const open = { kind: 'sink-circuit-open', sink: 'webhook', message: 'It fails.', fields: { failures: 5 } } as const
    expect(linesOf({ kind: 'sink-notice', sink: 'webhook', notice: open })).toMatchObject([
      { level: 'warn', msg: 'sink notice', sink: 'webhook', notice: 'sink-circuit-open', failures: 5, detail: 'It fails.' },
    ])
  })

  test('changes of sources, and the drain', () => {
    const counts = logged({ sources: [createHandSource('door')] }).run.status().totals
    const lines = linesOf(
      { kind: 'source-added', sourceId: 'gate' },
      { kind: 'source-paused', sourceId: 'gate' },
      { kind: 'source-error', sourceId: 'gate', error: new StreamError('VIDEO_DAMAGED', 'It broke.') },
      { kind: 'drain-start', timeoutMs: 30_000 },
      { kind: 'drain-timeout', counts },
      { kind: 'model-ready', model: fakeInfo },
    )
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['info', 'source added'],
      ['info', 'source paused'],
      ['error', 'a source failed'],
      ['info', 'draining'],
      ['warn', 'the time for draining is over'],
      ['info', 'the model is ready'],
    ])
    expect(lines[3]).toMatchObject({ timeoutMs: 30_000 })
  })
})

describe('createLogger', () => {
  test('hides secrets, however deep an address is', () => {
    const { logger, text } = keptLog()
    logger.warn({ password: 'hunter2', sasl: { password: 'hunter2' }, list: [{ url: 'http://a:hunter2@b' }], count: 1, none: null }, 'x')
    expect(JSON.parse(text())).toMatchObject({
      ...{ level: 'warn', password: '***', sasl: { password: '***' }, list: [{ url: 'http://***@b' }], count: 1, none: null },
    })
    expect(text()).not.toContain('hunter2')
  })

  test('leaves out what is below its level', () => {
    const { logger, lines } = keptLog({ level: 'warn' })
    logger.info({}, 'no')
    logger.error({}, 'yes')
    expect(lines()).toMatchObject([{ msg: 'yes' }])
  })
})
