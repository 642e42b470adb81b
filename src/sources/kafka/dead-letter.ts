import type { HeaderValue, OutgoingRecord } from '../../delivery.js'
import type { StreamError } from '../../errors.js'
import type { ReadRecord } from '../../kafka/group-reader.js'
import type { Publication } from './commits.js'
import type { SourceNotice } from '../source.js'

/** A letter of more bytes leaves parts out: a topic takes a megabyte unless it is told otherwise, and the original is still there. */
const MOST_BYTES = 900_000
/** Messages that are to become dead letters, and are kept in memory until they have. */
const MOST_DYING = 16

/** Where dead letters go, and who hears of them. */
export interface DeadLettersSetup {
  /** None: they are told of and passed over. */
  readonly topic: string | undefined
  readonly publish: (publication: Publication) => Promise<void>
  readonly notify: (notice: SourceNotice) => void
  /** Called when one is durable. */
  readonly onChange: () => void
}

/** The messages of a partition that can't be used. */
export class DeadLetters {
  readonly #setup: DeadLettersSetup
  /** Offsets of messages that are to become dead letters. */
  readonly #dying = new Set<number>()
  /** Offsets of messages that did, not before what is committed. */
  readonly #dead: Set<number>

  /** @param dead Offsets of messages that an earlier process dealt with. */
  constructor(dead: ReadonlySet<number>, setup: DeadLettersSetup) {
    this.#setup = setup
    this.#dead = new Set(dead)
  }

  /** Whether a message is one already. */
  has(offset: number): boolean {
    return this.#dead.has(offset)
  }

  /** Whether one more may wait for being written. */
  get hasRoom(): boolean {
    return this.#dying.size < MOST_DYING
  }

  /** Makes a message one, and tells of it. */
  bury(record: ReadRecord, error: StreamError): void {
    const { topic, publish, notify, onChange } = this.#setup
    const { partition, offset } = record
    const fields = { partition, offset, code: error.code, reason: error.message }
    notify({ kind: 'dead-letter', message: 'a message could not be used', fields })
    this.#dying.add(offset)
    const records = topic === undefined ? [] : [deadLetter(record, { topic, error })]
    // A rejection means that the message is read again by whoever goes on.
    publish({ records, settles: offset }).then(
      () => {
        this.#dying.delete(offset)
        this.#dead.add(offset)
        onChange()
      },
      () => undefined,
    )
  }

  /** Offsets that are still needed, once those that are about to be safe are. */
  dying(settled: readonly number[]): readonly number[] {
    return [...this.#dying].filter((offset) => !settled.includes(offset))
  }

  /** Offsets that must not become dead letters again by whoever goes on at an offset; those before it are forgotten. */
  deadFrom(offset: number, settled: readonly number[]): readonly number[] {
    const dead = [...new Set([...this.#dead, ...settled])].filter((place) => place >= offset)
    for (const place of this.#dead) if (place < offset) this.#dead.delete(place)
    return dead
  }
}

/**
 * The record that tells of a message that can't be used: the message as it was, to the byte, what is wrong, and where it
 * was. Where that is too much, the value is left out, and then the message's headers, too.
 */
export function deadLetter(
  { topic, partition, offset, key, value, headers, timestampMs }: ReadRecord,
  letter: { readonly topic: string; readonly error: StreamError },
): OutgoingRecord {
  const [valueBytes, headerBytes] = [value?.length ?? 0, bytesOf(headers)]
  const areHeadersCopied = headerBytes <= MOST_BYTES
  const isValueCopied = (areHeadersCopied ? headerBytes : 0) + valueBytes <= MOST_BYTES
  return {
    topic: letter.topic,
    key,
    value: isValueCopied ? value : null,
    headers: {
      ...(areHeadersCopied ? collected(headers) : { 'headers-omitted-bytes': String(headerBytes) }),
      'error-code': letter.error.code,
      'error-message': letter.error.message,
      'original-topic': topic,
      'original-partition': String(partition),
      'original-offset': String(offset),
      'original-timestamp': String(timestampMs),
      ...(isValueCopied ? {} : { 'value-omitted-bytes': String(valueBytes) }),
    },
  }
}

/** By name; one that comes several times with all its values. */
function collected(headers: ReadRecord['headers']): Readonly<Record<string, HeaderValue>> {
  const byName = new Map<string, Uint8Array[]>()
  for (const [name, bytes] of headers) byName.set(name, [...(byName.get(name) ?? []), bytes])
  return Object.fromEntries(byName)
}

function bytesOf(headers: ReadRecord['headers']): number {
  return headers.reduce((sum, [name, bytes]) => sum + Buffer.byteLength(name) + bytes.length, 0)
}
