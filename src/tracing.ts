import { ROOT_CONTEXT, SpanStatusCode, context, createTraceState, isSpanContextValid, trace } from '@opentelemetry/api'
import type { Attributes, Context, Link, Span, SpanContext } from '@opentelemetry/api'

import { StreamError } from './errors.js'
import type { TraceCarrier } from './origin.js'
import { packageVersion } from './version.js'

/** Read once: a span is begun for each batch and each answer. */
const VERSION = packageVersion()

/** A step of the work that is to be seen in traces. */
export interface SpanPlan {
  /** What is done, e.g. `encode`. */
  readonly name: string
  readonly attributes?: Attributes
  /** The trace that the work belongs to. @default a trace of its own */
  readonly parent?: TraceCarrier | undefined
  /** Other traces that share the work; those that say nothing are left out. */
  readonly links?: readonly (TraceCarrier | undefined)[]
}

/** A step at work. */
export interface StepSpan {
  /** Its place in the trace, for whoever goes on with the result; undefined where nobody traces. */
  readonly carrier: TraceCarrier | undefined
  /** Adds what is known only now. */
  set(attributes: Attributes): void
  /** Marks the step as failed although the work itself returns. */
  fail(error: unknown): void
}

/** W3C Trace Context: version, trace id, parent id, flags; a later version may say more. */
const TRACE_PARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Runs work as one span of the tracer that the embedding program has registered; without one the work just
 * runs, and a trace that came with it is handed on as it came.
 *
 * The parent is only ever the one that is named, never the context that happens to be active: a run that
 * lasts for weeks doesn't belong to the request that started it.
 *
 * @example
 * ```ts
 * await traced({ name: 'deliver', parent: originOf(result).trace }, () => sink.write(result))
 * ```
 */
export async function traced<T>(plan: SpanPlan, work: (span: StepSpan) => Promise<T>): Promise<T> {
  const span = startSpan(plan)
  try {
    return await context.with(trace.setSpan(ROOT_CONTEXT, span), () => work(toStepSpan(span)))
  } catch (error) {
    markFailed(span, error)
    throw error
  } finally {
    span.end()
  }
}

function startSpan({ name, attributes = {}, parent, links = [] }: SpanPlan): Span {
  const tracer = trace.getTracer('tinyllava-stream', VERSION)
  return tracer.startSpan(name, { attributes, links: toLinks(links) }, contextOf(parent))
}

function toStepSpan(span: Span): StepSpan {
  return {
    carrier: carrierOf(span.spanContext()),
    set: (attributes) => void span.setAttributes(attributes),
    fail: (error) => {
      markFailed(span, error)
    },
  }
}

/** Only our own messages are known to hold no credential. */
function markFailed(span: Span, error: unknown): void {
  const isOurs = error instanceof StreamError
  span.setAttribute('error.type', isOurs ? error.code : error instanceof Error ? error.name : 'unknown')
  span.setStatus({ code: SpanStatusCode.ERROR, ...(isOurs && { message: error.message }) })
}

/** Frames of one message come with one trace, which is linked once. */
function toLinks(carriers: readonly (TraceCarrier | undefined)[]): Link[] {
  const contexts = carriers.flatMap((carrier) => spanContextOf(carrier) ?? [])
  const bySpan = new Map(contexts.map((linked) => [`${linked.traceId}-${linked.spanId}`, linked]))
  return [...bySpan.values()].map((linked) => ({ context: linked }))
}

function contextOf(carrier: TraceCarrier | undefined): Context {
  const parent = spanContextOf(carrier)
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
}

/** What a carrier says; undefined where it says nothing, or nothing that can be read. */
function spanContextOf(carrier: TraceCarrier | undefined): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACE_PARENT.exec(carrier?.traceparent ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === '00' && rest !== undefined) return undefined
  const state = carrier?.tracestate
  const parent: SpanContext = {
    ...{ traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true },
    ...(state !== undefined && { traceState: createTraceState(state) }),
  }
  return isSpanContextValid(parent) ? parent : undefined
}

function carrierOf(span: SpanContext): TraceCarrier | undefined {
  if (!isSpanContextValid(span)) return undefined
  const flags = span.traceFlags.toString(16).padStart(2, '0')
  const state = span.traceState?.serialize() ?? ''
  return { traceparent: `00-${span.traceId}-${span.spanId}-${flags}`, ...(state !== '' && { tracestate: state }) }
}
