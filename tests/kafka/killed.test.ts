import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeWithKafka, startBroker } from '../support/kafka.js'
import type { PrivateBroker } from '../support/kafka.js'
import { BROKER_SETTINGS, killOneAfterAnother, onStage } from './fault-scenarios.js'
import type { Outcome, ScenarioSize } from './fault-scenarios.js'
import { isBalanced } from './workers.js'

/** 1 for the short form; `npm run test:faults` sets more. */
const times = Number(process.env.FAULT_TIMES ?? 1)

/** Nothing lost, nothing twice, nothing else; and the ledgers of the processes that ended gently hold. */
function expectOnce(outcome: Outcome): void {
  const { lost, repeated, strange, ambiguous, ledgers } = outcome
  expect({ lost, repeated, strange, ambiguous }).toEqual({ lost: [], repeated: [], strange: [], ambiguous: [] })
  expect(outcome.answers).toBe(outcome.expected)
  expect(ledgers.every(isBalanced)).toBe(true)
  console.log(`${outcome.answers} of ${outcome.expected} answers, 0 lost, 0 twice`)
}

describeWithKafka('exactly-once', () => {
  let broker: PrivateBroker
  beforeAll(async () => {
    broker = await startBroker(BROKER_SETTINGS)
  })
  afterAll(() => broker.stop())
  // 12 streams; windows of 4 frames, one every 2: `frames / 2 - 1` a stream.
  const size = (frames: number): Omit<ScenarioSize, 'faults'> => ({
    ...{ brokers: broker.brokers, partitions: 6, streams: 12, questions: ['What?'], frames },
  })

  test('a process that is killed in the middle of windows, again and again', { timeout: 600_000 }, async () => {
    expectOnce(await killOneAfterAnother({ ...size(times > 1 ? 336 : 26), faults: 2 * times }))
  })

  test('a broker that is killed and started again under load', { timeout: 600_000 }, async () => {
    const play = onStage({ ...size(times > 1 ? 168 : 26), faults: times }, async ({ startWorker, whenAnswered }) => {
      const worker = startWorker()
      for (let crash = 1; crash <= times; crash += 1) {
        await whenAnswered(crash / (times + 1))
        await broker.kill()
        await broker.restart()
      }
      return [worker]
    })
    expectOnce(await play)
  })

  test('three processes share twelve streams, and one of them is killed', { timeout: 600_000 }, async () => {
    const play = onStage({ ...size(40), faults: 1 }, async ({ startWorker, whenAnswered }) => {
      const [first, second, third] = [startWorker(), startWorker(), startWorker()]
      await Promise.all([first, second, third].map((worker) => worker.whenTold(({ kind }) => kind === 'stream')))
      await whenAnswered(0.3)
      await second.kill()
      return [first, third]
    })
    expectOnce(await play)
  })
})
