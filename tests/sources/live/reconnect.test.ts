import fc from 'fast-check'
import { concat, defer, of, throwError } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import { StreamError } from '../../../src/errors.js'
import { type ReconnectAttempt, reconnectDelay, reconnecting } from '../../../src/sources/live/reconnect.js'

const RULE = { minDelayMs: 10, maxDelayMs: 40, maxAttempts: Infinity }
const lost = new StreamError('RTSP_DISCONNECTED', 'lost')
const refused = new StreamError('RTSP_UNAUTHORIZED', 'refused')
const noJitter = { random: () => 0 }

/** A source that plays one script for each subscription. */
function connections(scripts: readonly (readonly (string | StreamError)[])[]) {
  let count = 0
  return defer(() => {
    const script = scripts[count++] ?? [lost]
    return concat(...script.map((step) => (typeof step === 'string' ? of(step) : throwError(() => step))))
  })
}

const run = (test: Parameters<TestScheduler['run']>[0]) =>
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected)
  }).run(test)

describe('reconnecting', () => {
  test('waits longer each time, up to the longest, and starts again after a picture', () => {
    run(({ expectObservable }) => {
      const attempts: ReconnectAttempt[] = []
      const source = connections([['a', lost], [lost], [lost], [lost], ['b', lost], ['c', refused]])
      const hooks = { ...noJitter, onReconnect: (attempt: ReconnectAttempt) => attempts.push(attempt) }
      expectObservable(source.pipe(reconnecting(RULE, hooks))).toBe('a 109ms b 9ms (c#)', undefined, refused)
      queueMicrotask(() => {
        expect(attempts.map(({ attempt, delayMs }) => [attempt, delayMs])).toEqual([[1, 10], [2, 20], [3, 40], [4, 40], [1, 10]])
        expect(attempts.every(({ error }) => error === lost)).toBe(true)
      })
    })
  })

  test('gives up after the attempts it may make, and at once with none', () => {
    run(({ expectObservable }) => {
      const twice = connections([[lost], [lost], [lost], ['never']])
      expectObservable(twice.pipe(reconnecting({ ...RULE, maxAttempts: 2 }, noJitter))).toBe('30ms #', undefined, lost)
      const none = connections([['a', lost], ['never']])
      expectObservable(none.pipe(reconnecting({ ...RULE, maxAttempts: 0 }))).toBe('(a#)', undefined, lost)
    })
  })

  test.each([[refused], [new Error('a bug')]])('tries nothing again after %s', (error) => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a#', undefined, error)
      expectObservable(source.pipe(reconnecting(RULE))).toBe('a#', undefined, error)
      expectSubscriptions(source.subscriptions).toBe('^!')
    })
  })

  test('stops waiting on unsubscribe', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('#', undefined, lost)
      expectObservable(source.pipe(reconnecting(RULE, noJitter)), '^ 5ms !').toBe('')
      expectSubscriptions(source.subscriptions).toBe('(^!)')
    })
  })
})

test('reconnectDelay keeps within half and whole of a delay that doubles up to the longest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const delay = reconnectDelay(attempt, { minDelayMs: 500, maxDelayMs: 30_000 }, random)
      const longest = Math.min(30_000, 500 * 2 ** (attempt - 1))
      expect(delay).toBeLessThanOrEqual(longest)
      expect(delay).toBeGreaterThanOrEqual(longest / 2)
    }),
  )
})
