import { map } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import type { Result } from '../envelope.js'
import { asStreamError } from '../errors.js'
import type { DeliveryReceipt } from '../ledger.js'
import { mapBounded } from '../operators/map-bounded.js'
import type { Sink } from '../sinks/sink.js'

/** Results that may wait for the sinks, over all streams; `encode` lets through 8 or so a stream. */
const MOST_WAITING = 16_384

/** A result on its way to the sinks. */
export interface Delivery {
  readonly result: Result
  readonly receipt: DeliveryReceipt
}

/**
 * Hands each result to all sinks and emits it when the last of them has it safe.
 *
 * ```
 * deliveries      a-b-----c----|
 * deliver(sinks)  ---a--b----c-|
 * ```
 *
 * One result at a time, in order: a sink is never called again before its last call has settled. A
 * slow sink makes `encode` wait, as it counts unsettled deliveries.
 *
 * - a **failed write** ends the output with `SINK_FAILED` and its cause; nothing more is written.
 * - **unsubscribe**: results not written are settled as failed, `ABORTED`.
 *
 * **Memory**: at most 16,384 waiting results; one more ends the output with `PIPELINE_INVALID`.
 *
 * @param sinks Open sinks.
 */
export function deliver(sinks: readonly Sink[]): OperatorFunction<Delivery, Result> {
  const writeInTurn = mapBounded(
    async (deliveries: readonly Delivery[]) => {
      for (const { result } of deliveries) await Promise.all(sinks.map((sink) => write(sink, result)))
      return deliveries
    },
    { queue: MOST_WAITING, onDiscard: settleAsStopped },
  )
  return (deliveries) =>
    deliveries.pipe(
      writeInTurn,
      map(({ result, receipt }) => {
        receipt.settle({ kind: 'delivered' })
        return result
      }),
    )
}

/** Opens all sinks; on an error the caller closes them all, the opened and the others. */
export async function openSinks(sinks: readonly Sink[]): Promise<void> {
  for (const sink of sinks) {
    try {
      await sink.open?.()
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

async function write(sink: Sink, result: Result): Promise<void> {
  try {
    await sink.write(result)
  } catch (error) {
    throw asStreamError(error, 'SINK_FAILED', `The sink ${sink.kind} could not take a result`)
  }
}

function settleAsStopped({ receipt }: Delivery): void {
  receipt.settle({ kind: 'failed', code: 'ABORTED' })
}
