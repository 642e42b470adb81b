import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeWithKafka, startBroker } from '../support/kafka.js'
import type { PrivateBroker } from '../support/kafka.js'
import { killOneAfterAnother, killOneOfThree, killTheBroker, rebalanceAndZombies } from './fault-scenarios.js'
import { BROKER_SETTINGS } from './stage.js'
import type { Outcome, ScenarioSize } from './stage.js'
import { isBalanced } from './workers.js'

// Short forms. `npm run test:faults` plays them in full.
const size = { partitions: 6, streams: 12, questions: ['What?', 'Who?'] } as const

/** Nothing lost, nothing strange; the ledgers of the processes that ended gently hold. */
function expectAll({ lost, strange, ambiguous, ledgers }: Outcome): void {
  expect({ lost, strange, ambiguous }).toEqual({ lost: [], strange: [], ambiguous: [] })
  expect(ledgers.length).toBeGreaterThan(0)
  expect(ledgers.filter((counts) => !isBalanced(counts))).toEqual([])
}

function expectOnce(outcome: Outcome): void {
  expectAll(outcome)
  expect(outcome.repeated).toEqual([])
  expect(outcome.answers).toBe(outcome.expected)
}

describeWithKafka('real processes and a real broker', () => {
  let broker: PrivateBroker
  const sized = (frames: number, faults: number): ScenarioSize => ({ ...size, brokers: broker.brokers, frames, faults })

  beforeAll(async () => {
    broker = await startBroker(BROKER_SETTINGS)
  })
  afterAll(async () => {
    await broker.stop()
  })

  test('exactly-once: workers killed in the middle of windows, one after the other', async () => {
    expectOnce(await killOneAfterAnother(sized(20, 2)))
  })

  test('exactly-once: three workers share twelve streams, and one of them is killed', async () => {
    expectOnce(await killOneOfThree(sized(40, 1)))
  })

  test('exactly-once: a worker joins, the other is stopped for longer than its session, goes on, and leaves', async () => {
    expectOnce(await rebalanceAndZombies(sized(24, 1)))
  })

  test('exactly-once: the broker is killed and comes back', async () => {
    expectOnce(await killTheBroker({ ...size, frames: 20, faults: 1 }))
  })

  test('at-least-once: what comes again after kill -9 has the same id', async () => {
    expectAll(await killOneAfterAnother(sized(20, 1), 'at-least-once'))
  })
})
