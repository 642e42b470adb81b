import type { ReadRecord } from '../../kafka/group-reader.js'

/** What a record takes in memory beside its key, its value and its headers. */
const RECORD_BYTES = 500

/** Records that wait to be taken, in order. */
export class RecordQueue {
  readonly #records: ReadRecord[] = []
  #bytes = 0

  /** What they take in memory, about. */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  push(record: ReadRecord): void {
    this.#records.push(record)
    this.#bytes += bytesOf(record)
  }

  /** The oldest one, which waits no longer. */
  shift(): ReadRecord | undefined {
    const record = this.#records.shift()
    if (record !== undefined) this.#bytes -= bytesOf(record)
    return record
  }
}

function bytesOf({ key, value, headers }: ReadRecord): number {
  const parts = [key, value, ...headers.flatMap(([name, bytes]) => [name, bytes])]
  return parts.reduce((sum, part) => sum + (part?.length ?? 0), RECORD_BYTES)
}
