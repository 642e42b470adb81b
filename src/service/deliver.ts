import { EMPTY, defer, finalize, from, mergeMap, of } from 'rxjs'
import type { Observable, OperatorFunction } from 'rxjs'

import type { OutgoingRecord, Transaction } from '../delivery.js'
import type { Result } from '../envelope.js'
import { StreamError, asStreamError } from '../errors.js'
import type { DeliveryReceipt } from '../ledger.js'
import type { DeliveryEntry } from '../needs.js'
import { originOf } from '../origin.js'
import type { Sink, SinkContext } from '../sinks/sink.js'
import { traced } from '../tracing.js'
import type { SinkLane } from './sink-lane.js'

/** Results that may wait for the sinks, over all streams; `encode` lets through 8 or so a stream. */
const MOST_WAITING = 16_384

/** A result on its way to the sinks. */
export interface Delivery {
  readonly result: Result
  readonly receipt: DeliveryReceipt
  readonly entry: DeliveryEntry
  /** Where the result and its stream's progress become visible together; none: sinks are written to. */
  readonly transaction?: Transaction
}

/**
 * Hands each result to all sinks and emits it when the last of them has it safe.
 *
 * ```
 * deliveries      a-b-----c----|
 * deliver(lanes)  ---a--b----c-|
 * ```
 *
 * Each sink gets the results in order, one at a time, at its own pace. A slow sink makes `encode` wait, as
 * that counts unsettled deliveries.
 *
 * Under exactly-once, sinks that can take part in the stream's transaction give their records to it, after
 * the other sinks have the result: those may see it twice, with the same id.
 *
 * - a **failed write** ends the output with `SINK_FAILED` and its cause; nothing more is written.
 * - a **revoked** stream's results are settled as failed and not emitted: another process makes them.
 * - **unsubscribe**: results not written are settled as failed, `ABORTED`, and never will be; one that a sink is
 *   just writing counts as failed, too.
 *
 * **Memory**: at most 16,384 waiting results; one more ends the output with `PIPELINE_INVALID`.
 *
 * @param lanes Open sinks.
 */
export function deliver(lanes: readonly SinkLane[]): OperatorFunction<Delivery, Result> {
  return (deliveries) =>
    defer(() => {
      const waiting = new Set<Delivery>()
      const handOver = (delivery: Delivery): Observable<Result> => {
        if (waiting.size >= MOST_WAITING) throw tooManyWaiting()
        waiting.add(delivery)
        return from(traced(spanOf(delivery), () => write(delivery, lanes))).pipe(
          mergeMap((isSafe) => {
            waiting.delete(delivery)
            delivery.receipt.settle(isSafe ? { kind: 'delivered' } : { kind: 'failed', code: 'STREAM_REVOKED' })
            return isSafe ? of(delivery.result) : EMPTY
          }),
        )
      }
      return deliveries.pipe(
        mergeMap(handOver),
        finalize(() => {
          // What is settled as failed must not be written after all, least of all to a sink that is closed.
          for (const lane of lanes) lane.stop()
          for (const { receipt } of waiting) receipt.settle({ kind: 'failed', code: 'ABORTED' })
        }),
      )
    })
}

function spanOf({ result }: Delivery): Parameters<typeof traced>[0] {
  const { trace } = originOf(result)
  const attributes = { 'tinyllava.result.id': result.id }
  return { name: 'deliver', attributes, ...(trace === undefined ? {} : { parent: trace }) }
}

/** Resolves with whether the result is safe; false where another process will make it. */
async function write({ result, receipt, entry, transaction }: Delivery, lanes: readonly SinkLane[]): Promise<boolean> {
  const records: OutgoingRecord[] = []
  const writes: Promise<void>[] = []
  for (const lane of lanes) {
    const { records: recordsOf, cluster } = lane.sink
    const takesPart = transaction !== undefined && recordsOf !== undefined && cluster === transaction.cluster
    if (takesPart) records.push(...recordsOf(result))
    else writes.push(lane.write(result))
  }
  await Promise.all(writes)
  return (await transaction?.publish({ records, receipt, entry }).then(always, unlessRevoked)) ?? true
}

function always(): boolean {
  return true
}

function unlessRevoked(error: unknown): boolean {
  if (error instanceof StreamError && error.code === 'STREAM_REVOKED') return false
  throw asStreamError(error, 'SINK_FAILED', 'A transaction failed')
}

/** Opens all sinks; on an error the caller closes them all, the opened and the others. */
export async function openSinks(sinks: readonly Sink[], context: SinkContext): Promise<void> {
  for (const sink of sinks) {
    try {
      await sink.open?.(context)
    } catch (error) {
      throw asStreamError(error, 'SINK_FAILED', `The sink ${sink.kind} could not be opened`)
    }
  }
}

/** Closes every sink, whatever happens to the others; then rejects with the first error. */
export async function closeSinks(sinks: readonly Sink[]): Promise<void> {
  const closings = await Promise.allSettled(sinks.map(async (sink) => sink.close?.()))
  const failed = closings.find((closing) => closing.status === 'rejected')
  if (failed !== undefined) throw asStreamError(failed.reason, 'SINK_FAILED', 'A sink could not be closed')
}

function tooManyWaiting(): StreamError {
  return new StreamError(
    'PIPELINE_INVALID',
    `More than ${MOST_WAITING} results were waiting for the sinks: the streams in front aren't paced. ` +
      'Put `encode` in front, or let the stream wait for settled receipts (see `Ledger`).',
  )
}
