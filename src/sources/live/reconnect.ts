import { type MonoTypeOperatorFunction, retry, timer } from 'rxjs'

import { StreamError } from '../../errors.js'

/** When a live source is opened again. */
export interface ReconnectRule {
  /** Milliseconds before the first attempt. */
  readonly minDelayMs: number
  /** Most milliseconds before an attempt, however many have failed. */
  readonly maxDelayMs: number
  /** Attempts in a row without one picture after which the stream gives up with the last error. */
  readonly maxAttempts: number
}

/** An attempt that is about to be made. */
export interface ReconnectAttempt {
  /** Counts the attempts since the last picture, from 1. */
  readonly attempt: number
  readonly delayMs: number
  /** Why the last connection ended. */
  readonly error: StreamError
}

/** Who hears of attempts, and where their jitter comes from. */
export interface ReconnectHooks {
  readonly onReconnect?: (attempt: ReconnectAttempt) => void
  /** From 0 up to 1. @default Math.random */
  readonly random?: () => number
}

/**
 * Subscribes to a live source again whenever it errors with something that can be retried.
 *
 * ```
 * connection 1    a-b-#
 * connection 2            #
 * connection 3                     c-d-…
 * reconnecting    a-b--------------c-d-…    waits 1, 2, 4 … delays; back to 1 after c
 * ```
 *
 * - **error** that can't be retried, or after `maxAttempts` in a row: passed on at once.
 * - **next** sets the count of attempts back.
 * - **complete** passes through.
 */
export function reconnecting<T>(rule: ReconnectRule, hooks: ReconnectHooks = {}): MonoTypeOperatorFunction<T> {
  const { onReconnect, random = Math.random } = hooks
  return retry({
    count: rule.maxAttempts,
    resetOnSuccess: true,
    delay: (error: unknown, attempt) => {
      if (!(error instanceof StreamError) || !error.canRetry) throw error
      const delayMs = reconnectDelay(attempt, rule, random())
      onReconnect?.({ attempt, delayMs, error })
      return timer(delayMs)
    },
  })
}

/**
 * Milliseconds before an attempt: doubled each time up to the longest, of which a random part of up to one half
 * is taken off, so that cameras lost together don't come back all at once.
 *
 * @param attempt From 1.
 * @param random From 0 up to 1.
 */
export function reconnectDelay(
  attempt: number,
  { minDelayMs, maxDelayMs }: Pick<ReconnectRule, 'minDelayMs' | 'maxDelayMs'>,
  random: number,
): number {
  const longest = Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1))
  return Math.round(longest * (1 - random / 2))
}
