import { defer, map, mergeMap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import { expectInteger, expectOneOf } from '../checks.js'
import type { Model } from '../model/model.js'
import { PIXEL_KINDS } from '../types.js'
import type { EncodedFrame, Frame, PixelKind } from '../types.js'
import { encodeBatch, toPending } from './encode-batch.js'
import type { PendingFrame } from './encode-batch.js'
import { createFailureRule } from './encode-failures.js'
import { mapBounded } from './map-bounded.js'
import { StaticScene, checkSkipStatic, encodeChanged } from './skip-static.js'
import type { SkipStaticOptions } from './skip-static.js'

/** How `encode` works on frames. */
export interface EncodeOptions {
  /** Most batches under way at once; the model runs them in turn. @default 1 */
  readonly concurrency?: number
  /** Most frames in one run of the vision tower. It takes what is there and never waits for more. @default 4 */
  readonly batch?: number
  /** Most frames that may wait; a paced source stays far below. @default 256 */
  readonly queue?: number
  /**
   * Waits while this many questions, or this many results on their way to the sinks, are unsettled.
   *
   * @default 8
   */
  readonly questionsAhead?: number
  /** Repetitions of a run that failed with an error that can be retried. @default 1 */
  readonly retries?: number
  /**
   * What the model takes the frames for. `picture`: each is a picture by itself, as the models of TinyLLaVA Factory were
   * trained on, and not part of a video; it is then laid on a square where the model's `image_aspect_ratio` is `pad`.
   *
   * @default each frame's own: `picture` from `image`, `frame` from every other source
   */
  readonly kind?: PixelKind
  /**
   * Doesn't encode a frame that shows what the last encoded one showed, as a camera over an empty yard does: it
   * gets that frame's features, with its own time, so that windows keep their shape. The ledger counts it as
   * `static`. `true`: by the defaults.
   *
   * Such an answer is about nearly the same pictures, and no more bit-identical to one that is asked afresh.
   *
   * @default false
   */
  readonly skipStatic?: boolean | SkipStaticOptions
}

/**
 * Turns each frame into an encoded frame and lets its pixels go.
 *
 * ```
 * frames           a-b-c-d------|
 * encode(model)    ---A--B--C--D|
 * ```
 *
 * It stands before the window, so that overlapping windows and several questions share encoded frames:
 * a frame costs one run of the vision tower in its life. In order.
 *
 * - **next**: waits for its turn, and while `questionsAhead` questions or results of its stream are
 *   unsettled: the language model is the slow part, and clips must not pile up in front of it. The
 *   frame's receipt is settled as `encoded` (with `skipStatic` also `static`) when the encoded frame is emitted.
 * - **a frame the model fails on** (`MODEL_FAILED`, after `retries`, and on its own where its batch
 *   failed) is settled as `failed` and left out: the clip's `coverage` says so. Eight in a row, or a
 *   stream without a single good frame, end the output with that error; so does any other error.
 * - **complete**, **error** of the source: passed on after the frames that were taken.
 * - **unsubscribe** aborts the model's work; frames not emitted are settled as dropped, `stopped`.
 *
 * **Memory**: the source's budget of unsettled frames, at most `queue + concurrency * batch`. One frame
 * more than that means that the source isn't paced, and ends the output with `PIPELINE_INVALID`.
 *
 * @example
 * ```ts
 * frames.pipe(encode(model), wholeClip(), answer(model, 'What happens?'))
 * ```
 *
 * @param model The model whose vision tower is used.
 * @param options Bounds and retries.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function encode(model: Model, options: EncodeOptions = {}): OperatorFunction<Frame, EncodedFrame> {
  const concurrency = expectInteger('concurrency', options.concurrency ?? 1, 1)
  const batch = expectInteger('batch', options.batch ?? 4, 1)
  const queue = expectInteger('queue', options.queue ?? 256, 1)
  const questionsAhead = expectInteger('questionsAhead', options.questionsAhead ?? 8, 1)
  const retries = expectInteger('retries', options.retries ?? 1, 0)

  const kind = options.kind === undefined ? {} : { kind: expectOneOf('kind', options.kind, PIXEL_KINDS) }
  const skipStatic = checkSkipStatic(options.skipStatic ?? false)

  return (frames) =>
    defer(() => {
      const scene = skipStatic === undefined ? undefined : new StaticScene(skipStatic)
      const encodeInTurn = mapBounded(
        async (pending: readonly PendingFrame[], signal: AbortSignal) => {
          await whenCaughtUp(pending, questionsAhead, signal)
          const context = { model, retries, signal }
          return scene === undefined ? await encodeBatch(pending, context) : await encodeChanged(pending, scene, context)
        },
        { concurrency, batch, queue, onDiscard: settleAsStopped },
      )
      const failures = createFailureRule()
      return failures.watch(frames.pipe(map((frame) => toPending({ ...frame, ...kind })), encodeInTurn, mergeMap(failures.settle)))
    })
}

/** Waits until few enough questions, and results on their way to the sinks, are unsettled. */
async function whenCaughtUp(pending: readonly PendingFrame[], limit: number, signal: AbortSignal): Promise<void> {
  for (const ledger of new Set(pending.map(({ origin }) => origin.stream.ledger))) {
    await ledger.whenQuestionsBelow(limit, signal)
    // Meanwhile questions only become fewer, as no frame is let through: both hold in the end.
    await ledger.whenDeliveriesBelow(limit, signal)
  }
}

function settleAsStopped({ receipt }: PendingFrame): void {
  receipt.settle({ kind: 'dropped', reason: 'stopped' })
}
