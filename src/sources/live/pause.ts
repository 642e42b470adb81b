import { NEVER, Observable, switchMap } from 'rxjs'
import type { MonoTypeOperatorFunction } from 'rxjs'

import type { Ledger } from '../../ledger.js'

/**
 * Leaves a live source while its stream is paused, and subscribes anew when it is resumed.
 *
 * ```
 * paused          ------p----r----
 * source          a-b-c-!    d-e-f
 * whileResumed    a-b-c------d-e-f
 * ```
 *
 * - **complete** of the source ends the output only with the subscription: what may end takes care of that itself.
 * - **error** passes through. **unsubscribe** leaves the source.
 */
export function whileResumed<T>(ledger: Ledger): MonoTypeOperatorFunction<T> {
  return (source) => pauses(ledger).pipe(switchMap((isPaused) => (isPaused ? NEVER : source)))
}

/** Whether the stream is paused: at once, and at each change. */
export function pauses(ledger: Ledger): Observable<boolean> {
  return new Observable((subscriber) => {
    const stopping = new AbortController()
    const follow = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        subscriber.next(ledger.isPaused)
        await (ledger.isPaused ? ledger.whenResumed(stopping.signal) : ledger.whenPaused(stopping.signal))
      }
    }
    follow().catch(() => {
      // Only the end of the subscription ends the wait.
    })
    return () => {
      stopping.abort()
    }
  })
}
