import { performance } from 'node:perf_hooks'

import { StreamError } from '../errors.js'
import type { Receipt } from '../ledger.js'
import type { Model, Pixels } from '../model/model.js'
import { traced } from '../tracing.js'
import type { SpanPlan } from '../tracing.js'
import type { EncodedFrame, Frame } from '../types.js'
import { countFeatures } from './held-features.js'
import { withRetries } from './retry.js'

/** A frame on its way through the tower. */
export interface PendingFrame {
  readonly origin: Omit<Frame, 'data' | 'width' | 'height' | 'kind' | 'receipt'> & Pick<EncodedFrame, 'arrivedAtMs'>
  readonly receipt: Receipt
  /** Let go as soon as the tower has run, long before the frame's turn to be emitted. */
  pixels: Pixels | undefined
}

/** What became of a frame. */
export type EncodeOutcome =
  | {
      readonly receipt: Receipt
      readonly encoded: EncodedFrame
      /** Whether it has the features of an earlier frame that shows the same. @default false */
      readonly isStatic?: boolean
    }
  | { readonly receipt: Receipt; readonly failure: StreamError }

/** What a batch is run with. */
export interface EncodeContext {
  readonly model: Model
  readonly retries: number
  readonly signal: AbortSignal
}

/** Parts a frame from its pixels. */
export function toPending({ data, width, height, kind, receipt, ...origin }: Frame): PendingFrame {
  const pixels = { data, width, height, ...(kind !== undefined && { kind }) }
  return { origin: { ...origin, arrivedAtMs: performance.now() }, receipt, pixels }
}

/** Runs the tower over a batch: one outcome a frame. Rejects where the error isn't that of a frame. */
export async function encodeBatch(
  batch: readonly PendingFrame[],
  context: EncodeContext,
): Promise<readonly EncodeOutcome[]> {
  const [first] = batch
  try {
    // A batch that fails is run again frame by frame: that is its retry.
    return await withRetries(() => runTower(batch, context), batch.length === 1 ? context.retries : 0)
  } catch (error) {
    if (!isFrameFailure(error) || first === undefined) throw error
    if (batch.length > 1) return await encodeOneByOne(batch, context)
    first.pixels = undefined
    return [{ receipt: first.receipt, failure: error }]
  }
}

async function encodeOneByOne(
  batch: readonly PendingFrame[],
  context: EncodeContext,
): Promise<readonly EncodeOutcome[]> {
  const outcomes: EncodeOutcome[] = []
  for (const pending of batch) outcomes.push(...(await encodeBatch([pending], context)))
  return outcomes
}

async function runTower(
  batch: readonly PendingFrame[],
  { model, signal }: EncodeContext,
): Promise<readonly EncodeOutcome[]> {
  const startMs = performance.now()
  const pixels = batch.flatMap((pending) => pending.pixels ?? [])
  const encoded = await traced(spanOf(batch), () => model.encode(pixels, { signal }))
  const encodeMs = (performance.now() - startMs) / batch.length
  return batch.map((pending, place) => {
    const features = encoded[place]
    if (features === undefined) throw new Error(`The model encoded ${encoded.length} of ${batch.length} frames.`)
    pending.pixels = undefined
    countFeatures(features)
    const { origin, receipt } = pending
    return { receipt, encoded: { ...origin, position: receipt.position, features, encodeMs } }
  })
}

/** A batch is of many traces at once: none is its parent. */
function spanOf(batch: readonly PendingFrame[]): SpanPlan {
  const attributes = { 'tinyllava.batch.frames': batch.length }
  return { name: 'encode', attributes, links: batch.map(({ origin }) => origin.trace) }
}

/** Whether the error is that of a frame; any other ends the stream. */
function isFrameFailure(error: unknown): error is StreamError {
  return error instanceof StreamError && error.code === 'MODEL_FAILED'
}
