import { EMPTY, NEVER, Subject, concat, ignoreElements, merge, of } from 'rxjs'
import type { Observable } from 'rxjs'
import { afterEach, describe, expect, test } from 'vitest'

import type { Result } from '../../../src/envelope.js'
import { StreamError } from '../../../src/errors.js'
import { answer } from '../../../src/operators/answer.js'
import { encode } from '../../../src/operators/encode.js'
import { heldFeatureBytes } from '../../../src/operators/held-features.js'
import { slidingWindow } from '../../../src/operators/sliding-window.js'
import { definePipeline } from '../../../src/service/define-pipeline.js'
import type { Pipeline } from '../../../src/service/define-pipeline.js'
import { createRunMetrics } from '../../../src/service/metrics/run-metrics.js'
import type { RunMetricsOptions } from '../../../src/service/metrics/run-metrics.js'
import { start } from '../../../src/service/start.js'
import type { Run } from '../../../src/service/start.js'
import type { SourceNotice } from '../../../src/sources/source.js'
import { at, createFakeModel, createInstantModel, features, generation, settled, visualTokens } from '../../operators/fakes.js'
import { createAnswer } from '../../sinks/contract.js'
import { createFakeSink, createHandSource } from '../fakes.js'
import { parseFigures, sumOf } from './figures.js'
import type { Figures } from './figures.js'

const askPairs: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model, { batch: 1, retries: 0 }), slidingWindow({ frames: 2 }), answer(model, 'What?', { retries: 0 }))

const runs: Run[] = []
afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop({ drainTimeoutMs: 0 }).catch(() => undefined)
})

function measured(pipeline: Partial<Pipeline> & Pick<Pipeline, 'sources'>, options: RunMetricsOptions = {}) {
  const run = start(definePipeline({ name: 'test', model: createInstantModel(), stream: askPairs, ...pipeline }))
  run.done.catch(() => undefined)
  runs.push(run)
  const metrics = createRunMetrics(run, options)
  return { run, metrics, figures: async () => parseFigures(await metrics.text()) }
}

/** The ledger's equations, for each source and for all: what was opened = how it was closed + what is in flight. */
function expectBalance(figures: Figures, run: Run): void {
  const { totals } = run.status()
  const dropped = Object.values(totals.dropped).reduce((sum, count) => sum + count, 0)
  for (const labels of ['', ...run.sources.list().map(({ id }) => `source="${id}"`)]) {
    const sum = (name: string): number => sumOf(figures, name, labels)
    const opened = ['frames_handed_out', 'questions_asked', 'deliveries_started'].map((name) => sum(`tinyllava_${name}_total`))
    const closed = ['frames', 'questions', 'deliveries'].map(
      (name) => sum(`tinyllava_${name}_total`) + sum(`tinyllava_${name}_in_flight`),
    )
    expect([labels, closed]).toEqual([labels, opened])
    if (labels === '') expect(opened).toEqual([totals.handedOut, totals.asked, totals.results])
  }
  expect(sumOf(figures, 'tinyllava_frames_total', 'outcome="dropped"')).toBe(dropped)
}

describe('the ledger', () => {
  test('is exported as it is at one moment: its equations hold at every moment, faults included', async () => {
    const [model, sink] = [createFakeModel(), createFakeSink({ isSlow: true })]
    const sources = ['door', 'gate'].map((id) => createHandSource(id, { isLive: true }))
    const { run, figures } = measured({ model, sources, sinks: [sink] })
    const expectFigures = async (expected: Readonly<Record<string, number>>): Promise<void> => {
      await settled()
      const now = await figures()
      expectBalance(now, run)
      const named = Object.keys(expected).map((name) => [name, now.get(`tinyllava_${name}`)])
      expect(Object.fromEntries(named)).toEqual(expected)
    }
    await expectFigures({ 'frames_handed_out_total{source="door"}': 0 })
    at(sources, 0).push(3)
    at(sources, 1).push(1)
    await expectFigures({ 'frames_in_flight{source="door"}': 3, 'frames_in_flight{source="gate"}': 1 })

    // One frame of the door fails, its neighbours make a pair; the gate's frame is still with the model.
    const doorCalls = () => model.encodeCalls.filter(({ input }) => input.length > 0)
    at(doorCalls(), 0).resolve([features(0)])
    await settled()
    at(doorCalls(), 2).reject(new StreamError('MODEL_FAILED', 'It failed.'))
    await settled()
    at(doorCalls(), 3).resolve([features(2)])
    await expectFigures({
      'frames_total{source="door",outcome="encoded"}': 2,
      'frames_total{source="door",outcome="failed"}': 1,
      'questions_in_flight{source="door"}': 1,
    })
    at(model.connectCalls, 0).resolve(visualTokens(2))
    await settled()
    at(model.generateCalls, 0).resolve(generation('A pair.'))
    await expectFigures({
      'questions_total{source="door",outcome="answered"}': 1,
      'deliveries_in_flight{source="door"}': 1,
      'sink_waiting_results{sink="fake",place="0"}': 1,
    })
    at(sink.waiting, 0).resolve()
    await expectFigures({ 'deliveries_total{source="door",outcome="delivered"}': 1 })

    const stopping = run.stop({ drainTimeoutMs: 0 })
    await stopping.catch(() => undefined)
    await expectFigures({ 'frames_total{source="gate",outcome="dropped",reason="stopped"}': 1, 'frames_in_flight{source="gate"}': 0 })
  })

  test('keeps what removed sources have counted, and no counter goes back', async () => {
    const { run, figures } = measured({ sources: [createHandSource('first', { isLive: true })] })
    await settled()
    for (const count of [2, 4]) {
      const source = createHandSource('guest', { isLive: true })
      run.sources.add(source)
      await settled()
      source.push(2)
      await settled()
      const before = (await figures()).get('tinyllava_frames_handed_out_total{source="guest"}')
      await run.sources.remove('guest')
      const after = await figures()
      expect([before, after.get('tinyllava_frames_handed_out_total{source="guest"}')]).toEqual([count, count])
      expectBalance(after, run)
    }
  })

  test('names so many sources and no more, however many come and go', async () => {
    const first = createHandSource('first', { isLive: true })
    const { run, metrics, figures } = measured({ sources: [first] }, { maxSources: 3 })
    await settled()
    let length = 0
    for (let count = 0; count < 200; count += 1) {
      const guest = createHandSource(`guest-${count}`)
      run.sources.add(guest)
      guest.push(1)
      guest.frames.complete()
      await settled()
      await run.sources.remove(guest.id)
      if (count === 9) length = (await metrics.text()).length
    }
    const now = await figures()
    const named = new Set([...now.keys()].flatMap((key) => /source="([^"]*)"/.exec(key)?.[1] ?? []))
    expect([...named].sort()).toEqual(['first', 'guest-0', 'guest-1', 'other'])
    expectBalance(now, run)
    // Digits grow, lines don't.
    expect((await metrics.text()).length).toBeLessThan(length * 1.1)
  })
})

describe('time', () => {
  const startMs = Date.parse('2026-01-01T00:00:00Z')

  /** A run whose results, clock and live streams are the test's. */
  function withClock(ids: readonly string[], options: RunMetricsOptions = {}) {
    const clock = { nowMs: startMs }
    const results = new Subject<Result>()
    const sources = ids.map((id) => createHandSource(id, { isLive: true }))
    // Streams end with their frames; the results of all are the first one's.
    const stream: Pipeline['stream'] = (frames, { stream: { id } }) => {
      const own: Observable<Result> = id === ids[0] ? results : EMPTY
      return merge(frames.pipe(ignoreElements()), own)
    }
    const setup = measured({ sources, stream }, { now: () => clock.nowMs, ...options })
    const answerOf = (id: string, ageMs: number): void => {
      const capturedAt = new Date(clock.nowMs - ageMs).toISOString()
      const { clip } = createAnswer('text')
      results.next(createAnswer('text', { source: { id, kind: 'fake', epoch: 0 }, clip: { ...clip, capturedAt } }))
    }
    return { ...setup, clock, answerOf }
  }

  test('lag behind live grows while nothing is answered', async () => {
    const { clock, answerOf, figures } = withClock(['door'])
    await settled()
    answerOf('door', 1500)
    await settled()
    expect((await figures()).get('tinyllava_lag_seconds{stream="door"}')).toBe(1.5)
    expect((await figures()).get('tinyllava_capture_to_answer_seconds_sum')).toBe(1.5)
    clock.nowMs += 10_000
    const later = await figures()
    expect(later.get('tinyllava_lag_seconds{stream="door"}')).toBe(11.5)
    expect(later.get('tinyllava_capture_to_answer_seconds_count')).toBe(1)
  })

  test('of streams over the bound the longest lag is told, and an ended stream has none', async () => {
    const { run, answerOf, figures } = withClock(['door', 'gate', 'yard', 'roof'], { maxStreams: 2 })
    await settled()
    for (const [place, id] of ['door', 'gate', 'yard', 'roof'].entries()) answerOf(id, 4000 - place * 1000)
    await settled()
    const lags = (now: Figures) => [...now].filter(([key]) => key.startsWith('tinyllava_lag_seconds'))
    expect(lags(await figures())).toEqual([
      ['tinyllava_lag_seconds{stream="door"}', 4],
      ['tinyllava_lag_seconds{stream="gate"}', 3],
      ['tinyllava_lag_seconds{stream="other"}', 2],
    ])
    await run.sources.remove('gate')
    await run.sources.remove('yard')
    // An answer that was still under way doesn't bring its stream back.
    answerOf('gate', 9000)
    await settled()
    expect(lags(await figures())).toEqual([
      ['tinyllava_lag_seconds{stream="door"}', 4],
      ['tinyllava_lag_seconds{stream="roof"}', 1],
    ])
  })

  test('of each stage there is a histogram', async () => {
    const [source, sink, clock] = [createHandSource('door'), createFakeSink({ isSlow: true }), { nowMs: 0 }]
    const { figures } = measured({ sources: [source], sinks: [sink] }, { now: () => clock.nowMs })
    await settled()
    source.push(2)
    await settled()
    clock.nowMs = 3000
    at(sink.waiting, 0).resolve()
    await settled()
    const now = await figures()
    const sums = ['connect', 'prefill', 'decode', 'deliver'].map((stage) =>
      now.get(`tinyllava_stage_duration_seconds_sum{stage="${stage}"}`),
    )
    // What the fake model says of itself: 7, 11 and 22 ms.
    expect(sums).toEqual([0.007, 0.011, 0.022, 3])
    expect(now.get('tinyllava_stage_duration_seconds_count{stage="encode"}')).toBe(1)
    expect(now.get('tinyllava_stage_duration_seconds_bucket{le="2.5",stage="deliver"}')).toBe(0)
    expect(now.get('tinyllava_stage_duration_seconds_bucket{le="5",stage="deliver"}')).toBe(1)
  })
})

describe('sources, model and process', () => {
  test('reconnects and Kafka lag come from what sources tell', async () => {
    const notices = new Subject<SourceNotice>()
    const camera = createHandSource('door', { isLive: true })
    const open = ({ notify }: { notify: (notice: SourceNotice) => void }) => {
      notices.subscribe(notify)
      return concat(of({ info: camera.stream, frames: camera.frames }), NEVER)
    }
    const { run, figures } = measured({ sources: [{ ...camera, open }] })
    await settled()
    const tell = (kind: string, fields: SourceNotice['fields'] = {}): void => {
      notices.next({ kind, message: 'static text', fields })
    }
    tell('reconnect')
    tell('reconnect')
    tell('something-else')
    tell('kafka-lag', { topic: 'clips', partition: 0, lag: 7 })
    tell('kafka-lag', { topic: 'clips', partition: 1, lag: 2 })
    tell('kafka-lag', { topic: 'clips', partition: 0, lag: 5 })
    const now = await figures()
    expect(now.get('tinyllava_reconnects_total{source="door"}')).toBe(2)
    expect(now.get('tinyllava_kafka_lag_messages{source="door",partition="0"}')).toBe(5)
    expect(now.get('tinyllava_kafka_lag_messages{source="door",partition="1"}')).toBe(2)
    expect(now.get('tinyllava_sources{state="running"}')).toBe(1)
    tell('kafka-lag-over', { topic: 'clips', partition: 1 })
    expect((await figures()).has('tinyllava_kafka_lag_messages{source="door",partition="1"}')).toBe(false)
    run.sources.pause('door')
    expect((await figures()).get('tinyllava_sources{state="paused"}')).toBe(1)
  })

  test('the run’s state, its model, and the process', async () => {
    const { run, figures } = measured({ sources: [createHandSource('door', { isLive: true })] })
    expect((await figures()).get('tinyllava_run_state{state="starting"}')).toBe(1)
    await settled()
    const now = await figures()
    expect(now.get('tinyllava_run_state{state="starting"}')).toBe(0)
    expect(now.get('tinyllava_run_state{state="running"}')).toBe(1)
    expect([...now.keys()]).toContainEqual(expect.stringMatching(/^tinyllava_model_info\{name="fake-model",.*device="cpu"\}$/))
    expect([...now.keys()]).toContainEqual(expect.stringMatching(/^tinyllava_build_info\{version="\d/))
    expect(now.get('process_resident_memory_bytes')).toBeGreaterThan(0)
    expect(now.has('nodejs_eventloop_lag_seconds')).toBe(true)
    expect(now.get('tinyllava_encoded_frames_bytes')).toBe(heldFeatureBytes())
    await run.stop()
    expect((await figures()).get('tinyllava_run_state{state="over"}')).toBe(1)
  })

  test('two runs in one process measure themselves alone', async () => {
    const [one, two] = [createHandSource('one', { isLive: true }), createHandSource('two', { isLive: true })]
    const runsOf = [measured({ sources: [one] }), measured({ sources: [two] })]
    await settled()
    one.push(1)
    const [first, second] = await Promise.all(runsOf.map(({ figures }) => figures()))
    expect(first?.get('tinyllava_frames_handed_out_total{source="one"}')).toBe(1)
    expect([...(second?.keys() ?? [])].filter((key) => key.includes('"one"'))).toEqual([])
  })

  test('nothing is measured any more after close', async () => {
    const source = createHandSource('door')
    const { metrics, run } = measured({ sources: [source] })
    await settled()
    metrics.close()
    source.push(2)
    source.frames.complete()
    await run.done
    expect(parseFigures(await metrics.text()).get('tinyllava_stage_duration_seconds_count{stage="encode"}')).toBeUndefined()
  })
})
