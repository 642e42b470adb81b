// The faults of tests/kafka in full, with what they cost: `npm run test:faults`. Real processes, a real broker.
// Prints a line a scenario; exits 1 where anything was lost, came twice, or didn't balance.
import { performance } from 'node:perf_hooks'

import { killOneAfterAnother, killOneOfThree, killTheBroker, rebalanceAndZombies } from '../tests/kafka/fault-scenarios.js'
import { measureCommits, measureThroughput } from '../tests/kafka/measure.js'
import { BROKER_SETTINGS } from '../tests/kafka/stage.js'
import type { Outcome } from '../tests/kafka/stage.js'
import { isBalanced } from '../tests/kafka/workers.js'
import { startBroker } from '../tests/support/kafka.js'

interface Scenario {
  readonly name: string
  readonly play: () => Promise<Outcome>
  /** Answers may come again, with the same id. */
  readonly mayRepeat?: boolean
}

const broker = await startBroker(BROKER_SETTINGS)
const { brokers } = broker
// 12 streams, each with 84 windows and two questions: 2,016 answers.
const size = { brokers, partitions: 6, streams: 12, frames: 170, questions: ['What?', 'Who?'] } as const

const scenarios: readonly Scenario[] = [
  { name: 'worker killed 10 times', play: () => killOneAfterAnother({ ...size, faults: 10 }) },
  { name: 'broker killed 5 times', play: () => killTheBroker({ ...size, faults: 5 }) },
  { name: '3 workers, one killed 5 times', play: () => killOneOfThree({ ...size, faults: 5 }) },
  { name: 'workers join and leave, 4 zombies', play: () => rebalanceAndZombies({ ...size, faults: 4 }) },
  {
    ...{ name: 'at-least-once, killed 10 times', mayRepeat: true },
    play: () => killOneAfterAnother({ ...size, faults: 10 }, 'at-least-once'),
  },
]

try {
  print('scenario', ['expected', 'answers', 'lost', 'twice', 'strange', 'reopened', 'ledgers', 'seconds', ''])
  for (const scenario of scenarios) await report(scenario)
  for (const partitions of [1, 6]) {
    const answersPerSecond = await measureThroughput({ ...size, partitions, faults: 0 })
    console.log(`exactly-once, instant model, ${partitions} partition(s): ${answersPerSecond.toFixed(0)} answers/s`)
  }
  const { medianMs, worst5Ms } = await measureCommits(brokers)
  console.log(`one commit of an answer, a state and an offset: median ${medianMs.toFixed(1)} ms, 95 % within ${worst5Ms.toFixed(1)} ms`)
} finally {
  await broker.stop()
}

async function report({ name, play, mayRepeat = false }: Scenario): Promise<void> {
  const startMs = performance.now()
  const { expected, answers, lost, repeated, strange, ambiguous, ledgers, retries } = await play()
  const balanced = ledgers.filter(isBalanced).length
  const isGood = lost.length + strange.length + ambiguous.length === 0 && balanced === ledgers.length && (mayRepeat || repeated.length === 0)
  if (!isGood) process.exitCode = 1
  const numbers = [expected, answers, lost.length, repeated.length, strange.length, retries.length, `${balanced}/${ledgers.length}`]
  print(name, [...numbers, ((performance.now() - startMs) / 1000).toFixed(0), isGood ? 'ok' : 'FAILED'])
}

function print(name: string, cells: readonly (string | number)[]): void {
  console.log(name.padEnd(36) + cells.map((cell) => String(cell).padStart(9)).join(''))
}
