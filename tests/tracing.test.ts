import { context, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { from, lastValueFrom } from 'rxjs'
import { afterEach, describe, expect, test } from 'vitest'

import type { Result } from '../src/envelope.js'
import { StreamError } from '../src/errors.js'
import type { Model } from '../src/model/model.js'
import { answer } from '../src/operators/answer.js'
import { encode } from '../src/operators/encode.js'
import { wholeClip } from '../src/operators/whole-clip.js'
import { originOf } from '../src/origin.js'
import type { TraceCarrier } from '../src/origin.js'
import { traced } from '../src/tracing.js'
import type { Frame } from '../src/types.js'
import { createFrame, createInstantModel, createStream } from './operators/fakes.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const carrier = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' }

/** Registers a real SDK that keeps its spans in memory. */
function register(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter()
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  return exporter
}

afterEach(() => {
  trace.disable()
  context.disable()
})

describe('traced, with an SDK', () => {
  test('is a child of the trace that is named, and says its own place', async () => {
    const exporter = register()
    const own = await traced({ name: 'answer', parent: carrier, attributes: { frames: 2 } }, (span) => {
      span.set({ tokens: 3 })
      return Promise.resolve(span.carrier)
    })
    const [span] = exporter.getFinishedSpans()
    expect(span).toMatchObject({ name: 'answer', attributes: { frames: 2, tokens: 3 }, status: { code: 0 } })
    expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: PARENT, isRemote: true })
    const spanId = span?.spanContext().spanId ?? ''
    expect(own).toEqual({ traceparent: `00-${TRACE}-${spanId}-01`, tracestate: 'vendor=1' })
  })

  test('begins a trace of its own where none came, whatever is active', async () => {
    const exporter = register()
    const outer = trace.getTracer('outer').startSpan('outer')
    await context.with(trace.setSpan(context.active(), outer), () => traced({ name: 'encode' }, () => Promise.resolve()))
    expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined()
  })

  test('links each other trace once', async () => {
    const exporter = register()
    const other = { traceparent: `00-${TRACE}-00000000000000ab-00` }
    await traced({ name: 'encode', links: [carrier, undefined, carrier, other] }, () => Promise.resolve())
    const links = exporter.getFinishedSpans()[0]?.links.map(({ context: linked }) => linked.spanId)
    expect(links).toEqual([PARENT, '00000000000000ab'])
  })

  test.each([
    [new StreamError('SINK_FAILED', 'The disk is full.'), { code: 2, message: 'The disk is full.' }, 'SINK_FAILED'],
    [new TypeError('of rtsp://user:secret@camera'), { code: 2 }, 'TypeError'],
    ['text', { code: 2 }, 'unknown'],
  ])('an error is the span’s status, and only our own messages are in it: %s', async (error, status, type) => {
    const exporter = register()
    // What is thrown may be anything.
    await expect(traced({ name: 'deliver' }, () => Promise.reject(error as Error))).rejects.toBe(error)
    expect(exporter.getFinishedSpans()).toMatchObject([{ status, attributes: { 'error.type': type } }])
  })

  test('work that returns an error result can be marked as failed', async () => {
    const exporter = register()
    const failed = new StreamError('MODEL_FAILED', 'It failed.')
    await traced({ name: 'answer' }, (span) => Promise.resolve().then(() => {
      span.fail(failed)
    }))
    expect(exporter.getFinishedSpans()).toMatchObject([{ status: { code: 2, message: 'It failed.' } }])
  })

  test.each([
    ['nothing', {}],
    ['text', { traceparent: 'hello' }],
    ['the id of no trace', { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` }],
    ['more than version 00 has', { traceparent: `00-${TRACE}-${PARENT}-01-x` }],
    ['the forbidden version', { traceparent: `ff-${TRACE}-${PARENT}-01` }],
    ['capitals', { traceparent: `00-${TRACE.toUpperCase()}-${PARENT}-01` }],
  ])('a carrier that holds %s is no parent', async (_what, parent) => {
    const exporter = register()
    await traced({ name: 'answer', parent }, () => Promise.resolve())
    expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined()
  })

  test('a later version of the format is read as far as it is known', async () => {
    const exporter = register()
    await traced({ name: 'answer', parent: { traceparent: `01-${TRACE}-${PARENT}-01-more` } }, () => Promise.resolve())
    expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toMatchObject({ traceId: TRACE })
  })
})

describe('a stream’s chain', () => {
  /** Frames of a stream, each with the trace that it came with. */
  function framesOf(traces: readonly (TraceCarrier | undefined)[]): readonly Frame[] {
    const stream = createStream({ id: 'door', epoch: 3 })
    return traces.map((own, index) => ({ ...createFrame(stream, index), ...(own === undefined ? {} : { trace: own }) }))
  }

  /** Asks about all frames as one clip. */
  function ask(model: Model, frames: readonly Frame[]): Promise<Result> {
    return lastValueFrom(from(frames).pipe(encode(model), wholeClip(), answer(model, 'A private question?', { retries: 0 })))
  }

  const second = { traceparent: `00-${'1'.repeat(32)}-00000000000000ab-01` }

  test('encode links the frames’ traces, and answer goes on with the last one', async () => {
    const exporter = register()
    const result = await ask(createInstantModel(), framesOf([carrier, undefined, second]))
    const encodeSpans = exporter.getFinishedSpans().filter(({ name }) => name === 'encode')
    expect(encodeSpans.flatMap(({ links }) => links.map((link) => link.context.spanId))).toEqual([PARENT, '00000000000000ab'])
    const span = exporter.getFinishedSpans().find(({ name }) => name === 'answer')
    expect(span?.parentSpanContext?.traceId).toBe('1'.repeat(32))
    expect(span?.attributes).toEqual({
      'tinyllava.stream.id': 'door',
      'tinyllava.stream.epoch': 3,
      'tinyllava.clip.frames': 3,
      'tinyllava.clip.start_ms': 0,
      'tinyllava.clip.end_ms': 2000,
      'tinyllava.result.id': result.id,
      'gen_ai.request.model': 'fake-model',
      'gen_ai.usage.input_tokens': 9,
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.response.finish_reasons': ['stop'],
    })
    const own = span?.spanContext()
    expect(originOf(result).trace).toEqual({ traceparent: `00-${own?.traceId ?? ''}-${own?.spanId ?? ''}-01` })
  })

  test('a question that can’t be answered is a failed span, and still a result', async () => {
    const exporter = register()
    const generate = () => Promise.reject(new StreamError('MODEL_FAILED', 'The graph failed.'))
    const result = await ask({ ...createInstantModel(), generate }, framesOf([carrier]))
    expect(result.kind).toBe('error')
    const span = exporter.getFinishedSpans().find(({ name }) => name === 'answer')
    expect(span).toMatchObject({
      status: { code: 2, message: 'The graph failed.' },
      attributes: { 'error.type': 'MODEL_FAILED', 'tinyllava.result.id': result.id },
    })
  })

  test('without an SDK a result carries on the trace that its last frame came with', async () => {
    expect(originOf(await ask(createInstantModel(), framesOf([undefined, carrier]))).trace).toEqual(carrier)
    expect(originOf(await ask(createInstantModel(), framesOf([carrier, undefined]))).trace).toBeUndefined()
  })
})

describe('traced, without an SDK', () => {
  test('runs the work, and hands the trace that came on as it came', async () => {
    expect(await traced({ name: 'answer', parent: carrier }, ({ carrier: own }) => Promise.resolve(own))).toEqual(carrier)
    expect(await traced({ name: 'answer' }, ({ carrier: own }) => Promise.resolve(own))).toBeUndefined()
  })
})
