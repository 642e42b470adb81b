import type { Kafka } from 'kafkajs'

import type { LedgerCounts } from '../../src/ledger-counts.js'
import { judge, readAnswers } from './answers-reader.js'
import type { AnswersReader, Verdict } from './answers-reader.js'
import { client, createTopics, withProducer } from './harness.js'
import type { Topics } from './harness.js'
import { expectedAnswers, footage } from './numbered-frames.js'
import type { Footage } from './numbered-frames.js'
import { startWorker } from './workers.js'
import type { Worker, WorkerSettings } from './workers.js'

/** How much a scenario does. */
export interface ScenarioSize extends Footage {
  readonly brokers: string
  readonly partitions: number
  readonly questions: readonly string[]
  /** How often the fault happens. */
  readonly faults: number
}

/** What came of a scenario. */
export interface Outcome extends Verdict {
  readonly expected: number
  readonly answers: number
  /** The ledgers of the processes that ended gently. */
  readonly ledgers: readonly LedgerCounts[]
}

/** A topic with footage, and everything that is answered about it. */
export interface Stage {
  readonly kafka: Kafka
  readonly topics: Topics
  readonly reader: AnswersReader
  readonly expected: readonly string[]
  /** Resolves once this share of the answers is visible, 0 to 1. */
  whenAnswered(share: number): Promise<void>
  startWorker(settings?: Partial<WorkerSettings>): Worker
}

/** A session is over fast, so that a killed member's partitions go to others soon. Brokers allow less than 6 s only where told to. */
export const SESSION_TIMEOUT_MS = 1_000
/** Settings for a broker of fault tests. */
export const BROKER_SETTINGS = { 'group.min.session.timeout.ms': SESSION_TIMEOUT_MS }

/** Sets a topic up, plays the scenario, ends the workers that still run, and judges what was answered. */
export async function onStage(
  size: ScenarioSize,
  play: (stage: Stage) => Promise<readonly Worker[]>,
): Promise<Outcome> {
  const kafka = client(size.brokers)
  const topics = await createTopics(kafka, size.partitions)
  const expected = expectedAnswers(size, size.questions)
  await withProducer(kafka, async (producer) => producer.send({ topic: topics.input, messages: [...(await footage(size))] }))
  const reader = await readAnswers(kafka, topics.output)
  const started: Worker[] = []
  const stage: Stage = {
    ...{ kafka, topics, reader, expected },
    whenAnswered: (share) => reader.whenCount(Math.ceil(share * expected.length)),
    startWorker: (settings = {}) => {
      const worker = startWorker({ ...workerSettings(size, topics), ...settings })
      started.push(worker)
      return worker
    },
  }
  try {
    const left = await play(stage)
    await stage.whenAnswered(1)
    const ledgers = await Promise.all(left.map((worker) => worker.stop()))
    const answers = await reader.readToEnd()
    return { ...judge(answers, expected), expected: expected.length, answers: answers.length, ledgers }
  } finally {
    await Promise.all([reader.close(), ...started.map((worker) => worker.kill())])
  }
}

function workerSettings({ brokers, questions }: ScenarioSize, topics: Topics): WorkerSettings {
  return {
    ...{ brokers, topics, questions, delivery: 'exactly-once', model: { generateMs: 10 } },
    source: { sessionTimeoutMs: SESSION_TIMEOUT_MS, commitIntervalMs: 100 },
  }
}

/** kill -9 of the only worker, again and again, each time in the middle of windows; another one takes over. */
export function killOneAfterAnother(size: ScenarioSize): Promise<Outcome> {
  return onStage(size, async ({ startWorker: start, whenAnswered }) => {
    let worker = start()
    for (let kill = 1; kill <= size.faults; kill += 1) {
      await whenAnswered(kill / (size.faults + 1))
      await worker.kill()
      worker = start()
    }
    return [worker]
  })
}
