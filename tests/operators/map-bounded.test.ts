import { EMPTY, NEVER, Subject, delay, of, range, take, throwError, timer } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import { mapBounded } from '../../src/operators/map-bounded.js'

const scheduler = () =>
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected)
  })

/** Upper case after so many ticks; a digit takes as many ticks as it says. */
const upperAfter = (ticks: number) => (values: readonly string[]) =>
  of(values.map((value) => value.toUpperCase())).pipe(delay(Number(values[0]) || ticks))

describe('mapBounded', () => {
  test('works on one value at a time by default', () => {
    scheduler().run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('   --abc------------|')
      const expected = '     -----A--B--C-----|'

      expectObservable(source.pipe(mapBounded(upperAfter(3)))).toBe(expected)
      expectSubscriptions(source.subscriptions).toBe('^----------------!')
    })
  })

  test('keeps the order and lets later work run meanwhile', () => {
    scheduler().run(({ hot, expectObservable }) => {
      // 5 takes longest; 1 and 2 are ready before it and wait.
      const source = hot('   512|')
      const expected = '     -----(512|)'

      expectObservable(source.pipe(mapBounded(upperAfter(1), { concurrency: 3 }))).toBe(expected)
    })
  })

  test('holds no more batches than `concurrency`, finished ones included', () => {
    scheduler().run(({ hot, flush }) => {
      const begun: string[] = []
      const work = mapBounded<string, string>(
        (values) => {
          begun.push(...values)
          return of(values).pipe(delay(values[0] === 'a' ? 100 : 1))
        },
        { concurrency: 2 },
      )
      const done: string[] = []
      hot('abcde').pipe(work).subscribe((value) => done.push(value))
      let halfway: unknown
      timer(50).subscribe(() => {
        halfway = { begun: [...begun], done: [...done] }
      })
      flush()
      // `b` was finished after 2 ticks, but waited for `a`: so `c` wasn't begun.
      expect(halfway).toEqual({ begun: ['a', 'b'], done: [] })
      expect(done).toEqual(['a', 'b', 'c', 'd', 'e'])
    })
  })

  test('takes what waits as one batch, and never waits for more', () => {
    scheduler().run(({ hot, expectObservable, flush }) => {
      const batches: string[] = []
      const source = hot('   abcd|')
      const expected = '     ---A--(BCD|)'
      const work = mapBounded<string, string>(
        (values) => {
          batches.push(values.join(''))
          return upperAfter(3)(values)
        },
        { batch: 3 },
      )
      expectObservable(source.pipe(work)).toBe(expected)
      flush()
      expect(batches).toEqual(['a', 'bcd'])
    })
  })

  test('finishes what was taken before the source ends', () => {
    scheduler().run(({ hot, expectObservable }) => {
      expectObservable(hot('ab|').pipe(mapBounded(upperAfter(3)))).toBe('---A--(B|)')
    })
  })

  test('an error of the source keeps its place in the order', () => {
    scheduler().run(({ hot, expectObservable }) => {
      expectObservable(hot('ab#').pipe(mapBounded(upperAfter(3)))).toBe('---A--(B#)')
    })
  })

  test('an error of the work keeps its place, leaves the source, and begins nothing more', () => {
    scheduler().run(({ hot, expectObservable, expectSubscriptions, flush }) => {
      const begun: string[] = []
      const discarded: string[] = []
      const source = hot('   ab-c-----d')
      const work = mapBounded<string, string>(
        (values) => {
          begun.push(...values)
          return values[0] === 'b' ? throwError(() => 'error') : upperAfter(6)(values)
        },
        { concurrency: 2, onDiscard: (value) => discarded.push(value) },
      )
      expectObservable(source.pipe(work)).toBe('------(A#)')
      expectSubscriptions(source.subscriptions).toBe('^!')
      flush()
      expect({ begun, discarded }).toEqual({ begun: ['a', 'b'], discarded: ['b'] })
    })
  })

  test('ends with PIPELINE_INVALID, after what came before, when the queue runs over', () => {
    scheduler().run(({ hot, expectObservable, expectSubscriptions, flush }) => {
      const discarded: string[] = []
      const source = hot('   abcde----|')
      const work = mapBounded<string, string>(upperAfter(5), { queue: 2, onDiscard: (value) => discarded.push(value) })
      const overflow: unknown = expect.objectContaining({ code: 'PIPELINE_INVALID' })

      expectObservable(source.pipe(work)).toBe('-----A----B----(C#)', undefined, overflow)
      expectSubscriptions(source.subscriptions).toBe('^--!')
      flush()
      expect(discarded).toEqual(['d'])
    })
  })

  test('unsubscribe aborts the signal and gives back every value it holds, once', () => {
    const signals: AbortSignal[] = []
    const discarded: number[] = []
    const source = new Subject<number>()
    const work = mapBounded<number, number>(
      (_values, signal) => {
        signals.push(signal)
        return NEVER
      },
      { concurrency: 2, onDiscard: (value) => discarded.push(value) },
    )
    const subscription = source.pipe(work).subscribe()
    for (const value of [1, 2, 3, 4]) source.next(value)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])

    subscription.unsubscribe()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(discarded).toEqual([1, 2, 3, 4])
    expect(source.observed).toBe(false)
  })

  test('gives back the rest of a batch when the consumer has had enough of it', () => {
    const discarded: number[] = []
    const results: number[] = []
    const source = new Subject<number>()
    const gates = [new Subject<readonly number[]>(), new Subject<readonly number[]>()]
    const work = mapBounded<number, number>(() => gates.shift()?.pipe(take(1)) ?? EMPTY, {
      batch: 3,
      onDiscard: (value) => discarded.push(value),
    })
    const [first, second] = gates
    source.pipe(work, take(2)).subscribe((value) => results.push(value))
    for (const value of [1, 2, 3, 4]) source.next(value)
    first?.next([10])
    second?.next([20, 30, 40])
    expect({ results, discarded }).toEqual({ results: [10, 20], discarded: [3, 4] })
  })

  test('a source that ends while it is being subscribed to is worked on in order', () => {
    const results: number[] = []
    let hasCompleted = false
    range(1, 5)
      .pipe(mapBounded((values: readonly number[]) => of(values.map((value) => value * 10))))
      .subscribe({ next: (value) => results.push(value), complete: () => (hasCompleted = true) })
    expect({ results, hasCompleted }).toEqual({ results: [10, 20, 30, 40, 50], hasCompleted: true })
  })

  test('work that gives too few results, or throws, is a failure', () => {
    const errors: unknown[] = []
    const keep = { error: (error: unknown) => errors.push(error) }
    of(1).pipe(mapBounded(() => of([]))).subscribe(keep)
    of(1).pipe(mapBounded(() => EMPTY)).subscribe(keep)
    const thrown = new Error('thrown by the work')
    of(1)
      .pipe(
        mapBounded(() => {
          throw thrown
        }),
      )
      .subscribe(keep)
    expect(errors).toHaveLength(3)
    expect(String(errors[0])).toContain('1 values gave 0 results')
    expect(errors[2]).toBe(thrown)
  })

  test.each([{ concurrency: 0 }, { batch: 1.5 }, { queue: -1 }])('refuses %o', (options) => {
    expect(() => mapBounded(() => EMPTY, options)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
