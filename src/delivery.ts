import type { DeliveryReceipt } from './ledger.js'
import type { DeliveryEntry } from './needs.js'

/** What is promised about results that leave for Kafka. */
export type DeliveryMode =
  /** A source's progress is kept once all sinks have the results safe. After a crash some come again, with the same id. */
  | 'at-least-once'
  /** Results and progress become visible in one transaction. */
  | 'exactly-once'

/** How records are compressed. */
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** A header's value, or those of one that comes several times. */
export type HeaderValue = string | Uint8Array | readonly (string | Uint8Array)[]

/** One record for a topic. */
export interface OutgoingRecord {
  readonly topic: string
  /** Records of one key keep their order; `null`: none. */
  readonly key: string | Uint8Array | null
  /** `null` deletes the key from a compacted topic. */
  readonly value: string | Uint8Array | null
  readonly headers: Readonly<Record<string, HeaderValue>>
  /** Of a topic's records all should say the same: those of different compression are sent apart. @default 'none' */
  readonly compression?: KafkaCompression
}

/** What one result leaves behind, and who is told that it is safe. */
export interface Publication {
  readonly records: readonly OutgoingRecord[]
  readonly receipt: DeliveryReceipt
  readonly entry: DeliveryEntry
}

/** Makes results visible together with the progress of the stream they came from. */
export interface Transaction {
  /** Names the cluster; only sinks of the same one can take part. */
  readonly cluster: string
  /**
   * Resolves when the records are visible, once each.
   *
   * @throws {StreamError} `STREAM_REVOKED`: they are not, and whoever reads the stream now will make them.
   */
  publish(publication: Publication): Promise<void>
}
