import { isDeepStrictEqual } from 'node:util'

import type { Answer } from '../envelope.js'

/** A point in a stream's media time: the end of an answer's clip. */
export interface Moment {
  /** Media time starts anew in each. */
  readonly epoch: number
  readonly ptsMs: number
  /** The wall clock at that time, where it is known. */
  readonly capturedAt: string | null
}

/** How a value is followed. */
export interface HoldRule {
  /** Milliseconds of media time that a new value must last before it counts. */
  readonly holdMs: (value: unknown) => number
  /** Milliseconds of media time after which an unchanged value counts again; none: never. */
  readonly heartbeatMs: number | undefined
}

/** Why a value counts now. */
export interface Noticed {
  readonly reason: 'changed' | 'heartbeat'
  /** When the value was first seen, without a break since. */
  readonly since: Moment
}

/**
 * Follows one value through media time: says when a new one has lasted long enough to count, and when an
 * unchanged one is to be told again.
 *
 * A new value must be seen without a gap: a new epoch starts its time anew, since nobody knows what
 * happened in between. The time to the next heartbeat goes on over epochs, gaps not counted, so that
 * a camera that often breaks off still gives some.
 */
export class HeldValue {
  readonly #rule: HoldRule
  /** The value that counts; none before the first. */
  #current: { readonly value: unknown; readonly since: Moment } | undefined
  /** A new value that hasn't lasted long enough. */
  #candidate: { readonly value: unknown; readonly since: Moment } | undefined
  #last: Moment | undefined
  /** Microseconds of media time since the current value was last told. */
  #untoldUs = 0

  /** @param initial A value that counts from the start, and is never told. */
  constructor(rule: HoldRule, initial?: { readonly value: unknown; readonly since: Moment }) {
    this.#rule = rule
    this.#current = initial
  }

  /** Takes the value at a moment; tells whether it counts now. */
  take(value: unknown, now: Moment): Noticed | undefined {
    this.#untoldUs += this.#last === undefined ? 0 : microsecondsBetween(this.#last, now)
    this.#last = now
    if (this.#current !== undefined && isDeepStrictEqual(this.#current.value, value)) return this.#keep()
    return this.#hold(value, now)
  }

  #keep(): Noticed | undefined {
    this.#candidate = undefined
    const { heartbeatMs } = this.#rule
    if (this.#current === undefined || heartbeatMs === undefined) return undefined
    if (this.#untoldUs < heartbeatMs * 1000) return undefined
    this.#untoldUs = 0
    return { reason: 'heartbeat', since: this.#current.since }
  }

  #hold(value: unknown, now: Moment): Noticed | undefined {
    const held = this.#candidate?.since.epoch === now.epoch ? this.#candidate : undefined
    const candidate = held !== undefined && isDeepStrictEqual(held.value, value) ? held : { value, since: now }
    this.#candidate = candidate
    if (microsecondsBetween(candidate.since, now) < this.#rule.holdMs(value) * 1000) return undefined
    this.#current = candidate
    this.#candidate = undefined
    this.#untoldUs = 0
    return { reason: 'changed', since: candidate.since }
  }
}

/** The moment that an answer is about. */
export function momentOf({ source, clip }: Answer): Moment {
  return { epoch: source.epoch, ptsMs: clip.endMs, capturedAt: clip.capturedAt }
}

/** Whole microseconds, so that 0.1 + 0.2 is no longer than 0.3; 0 over a gap, or where time goes back. */
function microsecondsBetween(from: Moment, to: Moment): number {
  if (from.epoch !== to.epoch) return 0
  return Math.max(0, Math.round(to.ptsMs * 1000) - Math.round(from.ptsMs * 1000))
}
