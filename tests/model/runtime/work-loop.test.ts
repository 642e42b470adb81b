import { expect, test } from 'vitest'
import type { Lane } from '../../../src/model/runtime/lane.js'
import { WorkLoop } from '../../../src/model/runtime/work-loop.js'

/** A lane of steps that each take so long on the test's own clock. */
class TimedLane implements Lane {
  left = 0
  readonly #name: string
  readonly #stepMs: number
  readonly #log: Log
  constructor(name: string, stepMs: number, log: Log) {
    this.#name = name
    this.#stepMs = stepMs
    this.#log = log
  }
  get hasWork(): boolean {
    return this.left > 0
  }
  step(): Promise<void> {
    this.left -= 1
    this.#log.now += this.#stepMs
    this.#log.steps.push(this.#name)
    return Promise.resolve()
  }
}

interface Log { now: number; readonly steps: string[] }

function timed(longMs: number, shortMs: number) {
  const log: Log = { now: 0, steps: [] }
  const [long, short] = [new TimedLane('long', longMs, log), new TimedLane('short', shortMs, log)]
  return { log, long, short, loop: new WorkLoop([long, short], () => log.now) }
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('shares time, not steps: a lane of long steps does not starve one of short ones', async () => {
  const { log, long, short, loop } = timed(30, 10)
  long.left = 2
  short.left = 6
  loop.wake()
  await turns(20)
  expect(log.steps).toEqual(['long', 'short', 'short', 'short', 'long', 'short', 'short', 'short'])
})

test('a lane that rested saved nothing up: it does not keep the others waiting for the time it did not use', async () => {
  const { log, long, short, loop } = timed(10, 10)
  long.left = 50
  loop.wake()
  await turns(100)
  log.steps.length = 0
  long.left = 3
  short.left = 3
  loop.wake()
  await turns(20)
  expect(log.steps.slice(0, 4).filter((name) => name === 'long')).toHaveLength(2)
})

test('events come in between two steps, and work that came meanwhile is done', async () => {
  const { log, short, loop } = timed(10, 10)
  short.left = 3
  setImmediate(() => log.steps.push('event'))
  loop.wake()
  await turns(2)
  short.left += 1
  await turns(20)
  expect(log.steps.indexOf('event')).toBeLessThan(3)
  expect(log.steps.filter((name) => name === 'short')).toHaveLength(4)
})

test('stopping waits for the step under way and begins none', async () => {
  const { log, short, loop } = timed(10, 10)
  short.left = 5
  loop.wake()
  const stopped = loop.stop()
  await stopped
  const done = log.steps.length
  loop.wake()
  await turns(10)
  expect([done, log.steps.length]).toEqual([1, 1])
})
