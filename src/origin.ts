import type { Result } from './envelope.js'
import type { Need } from './needs.js'

/** W3C trace context as it travels in headers: `traceparent`, `tracestate`. */
export type TraceCarrier = Readonly<Record<string, string>>

/** What is known about a result beside its envelope. */
export interface Origin {
  /** What must be read again to make the result anew. */
  readonly need?: Need
  /** The trace that the result belongs to. */
  readonly trace?: TraceCarrier
}

/** Survives `{ ...result }`, and is no part of its JSON. */
const ORIGIN: unique symbol = Symbol('origin')

/** Notes where a result came from. A copy made by spreading keeps the note. */
export function withOrigin<T extends Result>(result: T, origin: Origin): T {
  return { ...result, [ORIGIN]: origin }
}

/** Where a result came from; empty for one that was made from nothing. */
export function originOf(result: Result & { readonly [ORIGIN]?: Origin }): Origin {
  return result[ORIGIN] ?? {}
}
