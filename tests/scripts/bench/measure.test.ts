import { expect, test } from 'vitest'

import { type Row, formatRows, interleavedMs, median } from '../../../scripts/bench/measure.js'

test('takes the middle value, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([7])).toBe(7)
  expect(median([])).toBeNaN()
})

const verdicts = (rows: readonly Row[]) =>
  formatRows(rows).trimEnd().split('\n').slice(2).map((line) => line.split(' | ').at(-1)?.replace(' |', ''))

test('a row that could not be measured has no ratio', () => {
  expect(formatRows([{ what: 'a', figure: 'not measured', against: 'why', ratio: NaN }])).toContain('| a | not measured | why |  |  |')
})

test('says of each goal whether it is met', () => {
  const row = { what: 'a', figure: 'b', against: 'c' }
  const rows = [
    { ...row, ratio: 0.92, goal: { atLeast: 0.92 } },
    { ...row, ratio: 0.919, goal: { atLeast: 0.92 } },
    { ...row, ratio: 0.5, goal: { atMost: 0.5 } },
    { ...row, ratio: 0.51, goal: { atMost: 0.5 } },
    { ...row, ratio: 2 },
  ]
  expect(verdicts(rows)).toEqual(['>= 0.92, met', '>= 0.92, missed', '<= 0.5, met', '<= 0.5, missed', ''])
})

test('leaves a goal open where a ratio is not known, or only how much it is at least', () => {
  const row = { what: 'a', figure: 'b', against: 'c' }
  const rows = [
    { ...row, ratio: NaN, goal: { atLeast: 1 } },
    { ...row, ratio: NaN, goal: { atMost: 1 } },
    { ...row, ratio: 3, isLeast: true, goal: { atLeast: 3 } },
    { ...row, ratio: 2.9, isLeast: true, goal: { atLeast: 3 } },
    { ...row, ratio: 0.4, isLeast: true, goal: { atMost: 0.5 } },
    { ...row, ratio: 0.6, isLeast: true, goal: { atMost: 0.5 } },
    { ...row, ratio: 2, isLeast: true },
  ]
  expect(verdicts(rows)).toEqual(['>= 1, open', '<= 1, open', '>= 3, met', '>= 3, open', '<= 0.5, open', '<= 0.5, missed', ''])
})

test('runs its calls in turn, and counts none of the warm-up rounds', async () => {
  const order: string[] = []
  const call = (name: string) => () => Promise.resolve(order.push(name))
  const times = await interleavedMs({ a: call('a'), b: call('b') }, 2, 1)
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  expect(Object.keys(times)).toEqual(['a', 'b'])
})
