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
  /** Why partitions were opened again, as often as they were. */
  readonly retries: readonly string[]
}

/** A topic with footage, worker processes, and everything they answer. */
export interface Stage {
  readonly kafka: Kafka
  readonly topics: Topics
  readonly reader: AnswersReader
  /** Sends the frames that are to be looked at, up to this share of them, 0 to 1. */
  feed: (share: number) => Promise<void>
  /** Resolves once this share of the answers is visible, 0 to 1. */
  whenAnswered: (share: number) => Promise<void>
  startWorker: (settings?: Partial<WorkerSettings>) => Worker
  /** Ends a worker gently. */
  retire: (worker: Worker) => Promise<void>
}

/** A session is over fast, so that others get a killed member's partitions soon. Brokers allow less than 6 s only where told to. */
export const SESSION_TIMEOUT_MS = 3_000
/** Settings for a broker of fault tests. */
export const BROKER_SETTINGS = { 'group.min.session.timeout.ms': SESSION_TIMEOUT_MS }

/**
 * Sets topics up, plays a scenario, waits for all answers, ends the workers gently that the scenario leaves, and judges
 * what was answered.
 */
export async function onStage(size: ScenarioSize, play: (stage: Stage) => Promise<readonly Worker[]>): Promise<Outcome> {
  const kafka = client(size.brokers)
  const topics = await createTopics(kafka, size.partitions)
  const expected = expectedAnswers(size, size.questions)
  const reader = await readAnswers(kafka, topics.output)
  const [started, ledgers]: [Worker[], LedgerCounts[]] = [[], []]
  const stage: Stage = {
    ...{ kafka, topics, reader, feed: createFeed(kafka, { size, topic: topics.input }) },
    whenAnswered: (share) => reader.whenCount(Math.ceil(share * expected.length)),
    startWorker: (settings = {}) => {
      const worker = startWorker({ ...workerSettings(size, topics), ...settings })
      started.push(worker)
      return worker
    },
    retire: async (worker) => {
      ledgers.push(await worker.stop())
    },
  }
  try {
    const left = await play(stage)
    const untimely = left.map((worker) => worker.whenTold(({ kind }) => kind === 'failure'))
    await Promise.race([stage.whenAnswered(1), ...untimely])
    await Promise.all(left.map(stage.retire))
    const answers = await reader.readToEnd()
    const counts = { expected: expected.length, answers: answers.length }
    return { ...judge(answers, expected), ...counts, ledgers, retries: started.flatMap(retriesOf) }
  } finally {
    await Promise.all([reader.close(), ...started.map((worker) => worker.kill())])
  }
}

function createFeed(kafka: Kafka, { size, topic }: { size: ScenarioSize; topic: string }): Stage['feed'] {
  let fed = 0
  return async (share) => {
    const first = fed
    fed = Math.round(share * size.frames)
    const messages = await footage({ ...size, frames: fed }, first)
    // Streams are spread evenly, so that each partition has some.
    const placed = messages.map((message) => ({ ...message, partition: message.stream % size.partitions }))
    await withProducer(kafka, (producer) => producer.send({ topic, messages: placed }))
  }
}

function retriesOf({ lines }: Worker): readonly string[] {
  const notices = lines.flatMap((line) => (line.kind === 'notice' && line.notice.kind === 'kafka-retry' ? [line.notice] : []))
  return notices.map(({ fields: { reason } }) => String(reason))
}

function workerSettings({ brokers, questions }: ScenarioSize, topics: Topics): WorkerSettings {
  return {
    ...{ brokers, topics, questions, delivery: 'exactly-once', model: { generateMs: 10 } },
    source: { sessionTimeoutMs: SESSION_TIMEOUT_MS, commitIntervalMs: 100 },
  }
}
