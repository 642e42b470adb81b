import { createRequire } from 'node:module'

/** A transaction that was aborted, as a broker tells of it beside the records it returns. */
export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

/** A record as the client decodes it. Records that are marked as control records are shown to nobody. */
export interface DecodedRecord {
  readonly offset: string
  readonly key: Buffer | null
  isControlRecord: boolean
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean }
}

/** What a broker returned of one partition. */
interface FetchedPartition {
  abortedTransactions?: readonly AbortedTransaction[] | null
  readonly messages: readonly DecodedRecord[]
}

interface FetchAnswer {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[]
}

type Fetch = (this: unknown, request: unknown) => Promise<FetchAnswer>

/** Version 0, type 0: the key of the record that ends an aborted transaction. */
const ABORT_MARKER = Buffer.from([0, 0, 0, 0])

/** Connections whose `fetch` was mended. */
const mended = new WeakSet<object>()

/**
 * Makes the client hide all records of aborted transactions, and no others, from whoever reads what is committed.
 *
 * The client's own way (2.2.4) holds only where the transactions of a partition don't overlap: it takes the list of
 * aborted ones to be in order of their begins, while brokers give it in order of their ends, and takes one of them
 * up per record. With several producers it shows aborted records, and hides committed ones.
 */
export function mendReadCommitted(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker/index.js') as { prototype: { fetch: Fetch } }
  if (mended.has(prototype)) return
  mended.add(prototype)
  const { fetch } = prototype
  prototype.fetch = async function (request) {
    const answer = await fetch.call(this, request)
    for (const { partitions } of answer.responses) for (const partition of partitions) hideAborted(partition)
    return answer
  }
}

/** Takes the list of aborted transactions away and marks their records, so that nothing is left for the client to do. */
export function hideAborted(partition: FetchedPartition): void {
  const aborted = partition.abortedTransactions ?? []
  if (aborted.length === 0) return
  partition.abortedTransactions = []
  const begins = aborted.map(({ producerId, firstOffset }) => ({ producerId, from: BigInt(firstOffset) }))
  begins.sort((one, other) => (one.from < other.from ? -1 : 1))
  const open = new Set<string>()
  let next = 0
  for (const record of partition.messages) {
    const offset = BigInt(record.offset)
    for (let begin = begins[next]; begin !== undefined && begin.from <= offset; begin = begins[next]) {
      open.add(begin.producerId)
      next += 1
    }
    const { producerId = '', inTransaction = false } = record.batchContext ?? {}
    if (!record.isControlRecord) record.isControlRecord = inTransaction && open.has(producerId)
    else if (record.key?.equals(ABORT_MARKER) === true) open.delete(producerId)
  }
}
