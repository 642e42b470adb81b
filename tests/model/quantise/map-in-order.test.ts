import { setImmediate } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { mapInOrder } from '../../../src/model/quantise/map-in-order.js'

async function* numbers(count: number, taken: number[] = []): AsyncGenerator<number> {
  for (let value = 0; value < count; value += 1) {
    taken.push(value)
    yield await Promise.resolve(value)
  }
}

/** Calls that end when the test says so. */
function manualCalls() {
  const ends: (() => void)[] = []
  const map = (value: number): Promise<number> => new Promise((resolve) => ends.push(() => { resolve(value * 10) }))
  return { ends, map }
}

test('gives results in order, whichever ends first', async () => {
  const { ends, map } = manualCalls()
  const results = mapInOrder(numbers(3), map, 3)
  const first = results.next()
  while (ends.length < 3) await setImmediate()
  for (const end of [...ends].reverse()) end()
  expect((await first).value).toBe(0)
  expect([(await results.next()).value, (await results.next()).value, (await results.next()).done]).toEqual([10, 20, true])
})

test('never holds more inputs than were asked for', async () => {
  const { ends, map } = manualCalls()
  const taken: number[] = []
  const results = mapInOrder(numbers(10, taken), map, 3)
  const first = results.next()
  while (ends.length < 3) await setImmediate()
  expect(taken).toEqual([0, 1, 2])
  ends[0]?.()
  await first
  const second = results.next()
  while (ends.length < 4) await setImmediate()
  expect(taken).toEqual([0, 1, 2, 3])
  for (const end of ends) end()
  await second
  await results.return(undefined)
})

test('a failure ends it, and others that fail meanwhile hurt nobody', async () => {
  const failing = (value: number): Promise<number> => Promise.reject(new Error(`number ${value}`))
  const results = mapInOrder(numbers(5), failing, 3)
  await expect(results.next()).rejects.toThrow('number 0')
  expect((await results.next()).done).toBe(true)
})

test('of nothing is nothing', async () => {
  expect((await mapInOrder(numbers(0), (value) => Promise.resolve(value), 2).next()).done).toBe(true)
})
