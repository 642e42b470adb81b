import { expect, test } from 'vitest'

import type { Outcome } from '../../../scripts/bench/child.js'
import { medianOutcome, takeTurns } from '../../../scripts/bench/turns.js'

const done = (seconds: number): Outcome<{ seconds: number }> => ({ kind: 'done', result: { seconds } })

test('the figures of a side are the medians of its rounds', () => {
  expect(medianOutcome([done(3), done(1), done(2)])).toEqual(done(2))
  expect(medianOutcome([])).toEqual({ kind: 'failed', why: 'not run' })
})

test('sides take turns; one that fails is not tried again and stays failed', async () => {
  const order: string[] = []
  const failure: Outcome<{ seconds: number }> = { kind: 'late', seconds: 60 }
  const outcomes = await takeTurns({
    good: () => { order.push('good'); return Promise.resolve(done(order.length)) },
    bad: () => { order.push('bad'); return Promise.resolve(failure) },
  }, 3)
  expect(order).toEqual(['good', 'bad', 'good', 'good'])
  expect(outcomes).toEqual({ good: done(3), bad: failure })
})
