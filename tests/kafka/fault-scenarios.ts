import type { DeliveryMode } from '../../src/delivery.js'
import { BROKER_SETTINGS, onStage } from './stage.js'
import type { Outcome, ScenarioSize } from './stage.js'
import { streamName } from './numbered-frames.js'
import type { Worker } from './workers.js'
import { startBroker } from '../support/kafka.js'

/** kill -9 of the only worker, again and again, each time in the middle of windows; another one takes over. */
export function killOneAfterAnother(size: ScenarioSize, delivery: DeliveryMode = 'exactly-once'): Promise<Outcome> {
  return onStage(size, async ({ feed, startWorker, whenAnswered }) => {
    await feed(1)
    let worker = startWorker({ delivery })
    for (let kill = 1; kill <= size.faults; kill += 1) {
      await whenAnswered(kill / (size.faults + 1))
      await worker.kill()
      worker = startWorker({ delivery })
    }
    return [worker]
  })
}

/** kill -9 of the broker, again and again, and its restart, while a worker works. The broker is one of its own. */
export async function killTheBroker(size: Omit<ScenarioSize, 'brokers'>): Promise<Outcome> {
  const broker = await startBroker(BROKER_SETTINGS)
  try {
    return await onStage({ ...size, brokers: broker.brokers }, async ({ feed, startWorker, whenAnswered }) => {
      await feed(1)
      const worker = startWorker()
      for (let kill = 1; kill <= size.faults; kill += 1) {
        await whenAnswered(kill / (size.faults + 1))
        await broker.kill()
        await broker.restart()
      }
      return [worker]
    })
  } finally {
    await broker.stop()
  }
}

/** Three workers share the streams; `faults` times one of them is killed in the middle, and replaced but for the last time. */
export function killOneOfThree(size: ScenarioSize): Promise<Outcome> {
  return onStage(size, async ({ feed, startWorker, whenAnswered }) => {
    const workers = [startWorker(), startWorker(), startWorker()]
    await feed(0.1)
    await Promise.all(workers.map((worker) => worker.whenTold(isStream)))
    await feed(1)
    for (let kill = 1; kill <= size.faults; kill += 1) {
      await whenAnswered(0.1 + (0.9 * kill) / (size.faults + 1))
      await workers.shift()?.kill()
      if (kill < size.faults) workers.push(startWorker())
    }
    return workers
  })
}

/**
 * Workers come and go while frames keep coming. `faults` times: one joins; the older one is stopped (SIGSTOP) in the
 * middle of its work until the other has taken all its streams, and goes on as a zombie; then it ends gently.
 */
export function rebalanceAndZombies(size: ScenarioSize): Promise<Outcome> {
  return onStage(size, async ({ feed, startWorker, whenAnswered, retire }) => {
    let older = startWorker({ model: ZOMBIE_MODEL })
    const steps = 2 * size.faults
    for (let step = 0; step < steps; step += 2) {
      await feed((step + 1) / steps)
      await older.whenTold(isStream)
      const younger = startWorker({ model: ZOMBIE_MODEL })
      await younger.whenTold(isStream)
      await feed((step + 2) / steps)
      await whenAnswered((step + 1.1) / steps)
      older.signal('SIGSTOP')
      await whenAllTaken(younger, size.streams)
      older.signal('SIGCONT')
      // It finds out that it is no member any more, and becomes one again.
      await retire(older)
      older = younger
    }
    return [older]
  })
}

/** Slow enough to be stopped in the middle. */
const ZOMBIE_MODEL = { generateMs: 40 }

async function whenAllTaken(worker: Worker, streams: number): Promise<void> {
  for (let stream = 0; stream < streams; stream += 1) {
    await worker.whenTold((line) => line.kind === 'stream' && line.streamId === streamName(stream))
  }
}

function isStream({ kind }: { readonly kind: string }): boolean {
  return kind === 'stream'
}
