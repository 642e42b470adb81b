import { randomUUID } from 'node:crypto'

import { StreamError, abortError, throwIfAborted } from '../../errors.js'
import type { GroupReader, ReadRecord } from '../../kafka/group-reader.js'
import type { Topics } from '../../kafka/topics.js'
import type { TransactionalProducer } from '../../kafka/transactional-producer.js'
import type { SourceNotice } from '../source.js'

/** Which partition is opened, and with what. */
export interface Opening {
  readonly topic: string
  readonly stateTopic: string
  readonly groupId: string
  readonly partition: number
  readonly startFrom: 'earliest' | 'latest'
  readonly producer: Pick<TransactionalProducer, 'commit'>
  readonly topics: Pick<Topics, 'bounds' | 'committedOffset'>
  readonly reader: Pick<GroupReader, 'seek' | 'pause' | 'resume'>
  /** Has the records of the partition of the state topic handed over, from now on or (undefined) no longer. */
  readonly handOver: (take: ((records: readonly ReadRecord[]) => void) | undefined) => void
  readonly notify: (notice: SourceNotice) => void
  readonly signal: AbortSignal
}

/** What is durable of a partition. */
export interface Durable {
  /** The next message to read. */
  readonly offset: number
  /** The values of the state topic by their keys. */
  readonly values: ReadonlyMap<string, string>
}

/** Marks the end of what was written before: key of a record in the state topic; no stream's id holds a control character. */
const MARKER_KEY = '\u0000opened'
/** Longest time without a record of the state topic, while there must be one. */
const MOST_SILENCE_MS = 60_000

/**
 * Reads what is durable of a partition. The order matters: whoever had the partition before was fenced off when the
 * producer was opened, so the states and the offset that are read now are the last ones.
 *
 * @throws {StreamError} `KAFKA_*`; `ABORTED` by the signal.
 */
export async function readDurable(opening: Opening): Promise<Durable> {
  const values = await readStates(opening)
  throwIfAborted(opening.signal, 'Reading')
  return { values, offset: await startOffset(opening) }
}

/** Reads a partition of the state topic up to a marker that is written now, behind everything there is. */
async function readStates({ stateTopic, partition, producer, reader, handOver, signal }: Opening): Promise<Durable['values']> {
  const [marker, values] = [randomUUID(), new Map<string, string>()]
  await producer.commit({ records: [{ topic: stateTopic, partition, key: MARKER_KEY, value: marker, headers: {} }] })
  throwIfAborted(signal, 'Reading the states')
  let end: () => void = () => undefined
  const isRead = new Promise<void>((resolve, reject) => {
    const leave = (): void => {
      reject(abortError('Reading the states'))
    }
    const timer = setTimeout(() => {
      reject(new StreamError('KAFKA_FAILED', `${stateTopic}[${partition}] gave nothing for ${MOST_SILENCE_MS} ms, although it holds something.`))
    }, MOST_SILENCE_MS)
    signal.addEventListener('abort', leave, { once: true })
    end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
    }
    handOver((records) => {
      timer.refresh()
      if (takeStates(records, { values, marker })) resolve()
    })
  })
  try {
    reader.seek(stateTopic, partition, 0)
    reader.resume(stateTopic, partition)
    await isRead
  } finally {
    end()
    handOver(undefined)
    reader.pause(stateTopic, partition)
  }
  return values
}

/** Returns whether the marker was among them. */
function takeStates(records: readonly ReadRecord[], { values, marker }: { values: Map<string, string>; marker: string }): boolean {
  let isMarked = false
  for (const { key, value } of records) {
    const name = key?.toString() ?? ''
    if (name === MARKER_KEY && value?.toString() === marker) isMarked = true
    else if (value === null) values.delete(name)
    else values.set(name, value.toString())
  }
  return isMarked
}

async function startOffset(opening: Opening): Promise<number> {
  const { groupId, topic, partition, startFrom, topics, producer, notify } = opening
  const { begin, end } = await topics.bounds(topic, partition)
  const committed = await topics.committedOffset(groupId, topic, partition)
  if (committed === undefined) {
    const offset = startFrom === 'earliest' ? begin : end
    // Whoever opens it next, before anything else was committed, must not begin at another end.
    await producer.commit({ records: [], progress: { topic, partition, offset } })
    return offset
  }
  if (committed < begin) {
    const fields = { partition, expected: committed, found: begin, lost: begin - committed }
    notify({ kind: 'messages-expired', message: 'messages were deleted before they were read', fields })
  }
  return Math.max(committed, begin)
}
