import { concat, defer, mergeMap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import type { Clip, EncodedFrame, StreamInfo } from '../types.js'
import type { ClipRule } from './clip-rule.js'

/**
 * Runs a clip rule over a stream of encoded frames: the core of `slidingWindow` and `wholeClip`.
 *
 * Each epoch gets a rule of its own, so that no clip spans a reconnect. On complete the last rule's
 * `end` is emitted; on error and on unsubscribe it is not, and what it held is let go.
 */
export function collectClips(createRule: () => ClipRule): OperatorFunction<EncodedFrame, Clip> {
  return (frames) =>
    defer(() => {
      const collector = new Collector(createRule)
      return concat(
        frames.pipe(mergeMap((frame) => collector.take(frame))),
        defer(() => collector.end()),
      )
    })
}

/** One subscription's rule, and the losses it has told it of. */
class Collector {
  readonly #createRule: () => ClipRule
  #rule: ClipRule | undefined
  #stream: StreamInfo | undefined
  #lostBefore = 0

  constructor(createRule: () => ClipRule) {
    this.#createRule = createRule
  }

  take(frame: EncodedFrame): readonly Clip[] {
    const isNewEpoch = this.#stream !== undefined && this.#stream.epoch !== frame.stream.epoch
    const closed = isNewEpoch ? this.end() : []
    this.#stream = frame.stream
    this.#rule ??= this.#createRule()
    return [...closed, ...this.#rule.take({ frame, lostBefore: this.#newlyLost(frame.stream) })]
  }

  end(): readonly Clip[] {
    if (this.#rule === undefined || this.#stream === undefined) return []
    const clips = this.#rule.end(this.#newlyLost(this.#stream))
    this.#rule = undefined
    return clips
  }

  /** Frames lost since the last call. `encode` settles in order, so they belong right here. */
  #newlyLost({ ledger }: StreamInfo): number {
    const { failed, dropped } = ledger.counts()
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, failed)
    const newlyLost = lost - this.#lostBefore
    this.#lostBefore = lost
    return newlyLost
  }
}
