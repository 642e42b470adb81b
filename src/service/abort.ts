import { setMaxListeners } from 'node:events'

import { Observable, map, takeUntil } from 'rxjs'
import type { MonoTypeOperatorFunction } from 'rxjs'

import { abortError } from '../errors.js'

/** Passes the signal on; each stream of a run listens to it, however many there are, and Node takes eleven for a leak. */
export function forManyListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal)
  return signal
}

/** Emits when the signal is aborted, at once if it is already; never completes. */
export function whenAborted(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const abort = (): void => {
      subscriber.next()
    }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    return () => {
      signal.removeEventListener('abort', abort)
    }
  })
}

/**
 * Passes everything on, and errors with `ABORTED` when the signal is aborted.
 *
 * ```
 * values                a-b-c-d-|
 * signal                -----!
 * unlessAborted(signal) a-b-c#
 * ```
 *
 * @param signal Left out: passes everything on.
 * @param what Names the work for the message.
 */
export function unlessAborted<T>(signal: AbortSignal | undefined, what: string): MonoTypeOperatorFunction<T> {
  if (signal === undefined) return (values) => values
  const fail = (): never => {
    throw abortError(what, signal.reason)
  }
  return (values) => values.pipe(takeUntil(whenAborted(signal).pipe(map(fail))))
}
