import { randomUUID } from 'node:crypto'

import type { Kafka } from 'kafkajs'

import type { Result } from '../../src/envelope.js'
import { Changes } from '../../src/ledger-column.js'
import { withProducer } from './harness.js'

/** A result in the answers' topic. */
export interface ReadAnswer {
  readonly id: string
  /** Who answered what. */
  readonly text: string
  /** When it was written. */
  readonly timestampMs: number
}

/** Reads what is committed in a topic of answers, all the time. */
export interface AnswersReader {
  readonly answers: readonly ReadAnswer[]
  /** Resolves once so many different answers are visible. */
  whenCount(count: number): Promise<void>
  /** Everything there is now, whatever comes later. */
  readToEnd(): Promise<readonly ReadAnswer[]>
  close(): Promise<void>
}

/** Key of a record that marks the end of a partition. */
const END = 'end'

export async function readAnswers(kafka: Kafka, topic: string): Promise<AnswersReader> {
  // By place: the client begins anew where its connection broke.
  const answers = new Map<string, ReadAnswer>()
  const ends = new Set<string>()
  const changes = new Changes()
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ partition, message: { key, offset, value, timestamp } }) => {
      const text = value?.toString() ?? ''
      if (key?.toString() === END) ends.add(`${partition}/${text}`)
      else answers.set(`${partition}/${offset}`, { ...readAnswer(JSON.parse(text) as Result), timestampMs: Number(timestamp) })
      changes.emit()
      return Promise.resolve()
    },
  })
  const when = (isMet: () => boolean): Promise<void> => changes.when(isMet, { what: 'answers', signal: undefined })
  return {
    get answers() {
      return [...answers.values()]
    },
    whenCount: (count) => when(() => new Set([...answers.values()].map(({ text }) => text)).size >= count),
    readToEnd: async () => {
      const [marker, partitions] = [randomUUID(), await partitionsOf(kafka, topic)]
      const messages = partitions.map((partition) => ({ partition, key: END, value: marker }))
      await withProducer(kafka, (producer) => producer.send({ topic, messages }))
      await when(() => partitions.every((partition) => ends.has(`${partition}/${marker}`)))
      return [...answers.values()]
    },
    close: () => consumer.disconnect(),
  }
}

async function partitionsOf(kafka: Kafka, topic: string): Promise<readonly number[]> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return (await admin.fetchTopicOffsets(topic)).map(({ partition }) => partition)
  } finally {
    await admin.disconnect()
  }
}

function readAnswer(result: Result): Pick<ReadAnswer, 'id' | 'text'> {
  const said = result.kind === 'answer' ? result.answer : `${result.kind} ${JSON.stringify(result)}`
  return { id: result.id, text: `${result.source.id}: ${said}` }
}

/** What is wrong with some answers. */
export interface Verdict {
  readonly lost: readonly string[]
  /** Answers that came again, as often as they did. */
  readonly repeated: readonly string[]
  /** Answers that nobody asked for. */
  readonly strange: readonly string[]
  /** Answers that came with two ids, and ids that stand for two answers. */
  readonly ambiguous: readonly string[]
}

/** Compares what was answered with what should have been. */
export function judge(answers: readonly ReadAnswer[], expected: readonly string[]): Verdict {
  const texts = answers.map(({ text }) => text)
  const [seen, wanted] = [new Set(texts), new Set(expected)]
  const [ids, pairs] = [new Set(answers.map(({ id }) => id)), new Set(answers.map(({ id, text }) => `${id} ${text}`))]
  return {
    lost: expected.filter((text) => !seen.has(text)),
    repeated: texts.filter((text, place) => texts.indexOf(text) < place),
    strange: [...seen].filter((text) => !wanted.has(text)),
    ambiguous: pairs.size === ids.size && pairs.size === seen.size ? [] : [...pairs],
  }
}
