import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { LiveBuffer, WHEN_FULL } from '../../../src/sources/live/buffer.js'

describe('LiveBuffer', () => {
  test.each([
    ['latest', ['a'], 'b'],
    ['oldest', ['c'], 'a'],
  ] as const)('%s drops what its rule names', (whenFull, dropped, next) => {
    const buffer = new LiveBuffer<string>({ capacity: 2, whenFull })
    expect([buffer.add('a'), buffer.add('b')]).toEqual([[], []])
    expect(buffer.add('c')).toEqual(dropped)
    expect([buffer.length, buffer.take()]).toEqual([2, next])
  })

  test('error says so, and holds what it held', () => {
    const buffer = new LiveBuffer<string>({ capacity: 1, whenFull: 'error' })
    buffer.add('a')
    expect(() => buffer.add('b')).toThrow(expect.objectContaining({ code: 'LIVE_BUFFER_FULL' }))
    expect(buffer.clear()).toEqual(['a'])
  })

  /** Numbers go in, in order; `undefined` takes one out. */
  const steps = fc.array(fc.boolean(), { maxLength: 200 })
  const setups = fc.record({ capacity: fc.integer({ min: 1, max: 8 }), whenFull: fc.constantFrom(...WHEN_FULL) })

  test('holds no more than its capacity, keeps the order, and loses nothing that it does not tell of', () => {
    fc.assert(
      fc.property(setups, steps, (setup, adds) => {
        const buffer = new LiveBuffer<number>(setup)
        const [taken, dropped]: [number[], number[]] = [[], []]
        let added = 0
        for (const isAdd of adds) {
          if (!isAdd) taken.push(...[buffer.take()].filter((value) => value !== undefined))
          else {
            try {
              dropped.push(...buffer.add(added))
            } catch {
              dropped.push(added)
            }
            added += 1
          }
          expect(buffer.length).toBeLessThanOrEqual(setup.capacity)
        }
        const all = [...taken, ...buffer.clear()]
        expect(all).toEqual([...all].sort((left, right) => left - right))
        expect([...all, ...dropped].sort((left, right) => left - right)).toEqual(Array.from({ length: added }, (_, value) => value))
      }),
    )
  })

  test('latest always holds the newest ones', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 40 }), (capacity, count) => {
        const buffer = new LiveBuffer<number>({ capacity, whenFull: 'latest' })
        for (let value = 0; value < count; value++) buffer.add(value)
        const newest = Array.from({ length: count }, (_, value) => value).slice(-capacity)
        expect(buffer.clear()).toEqual(newest)
      }),
    )
  })
})
