import { concat, defer, mergeMap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import type { WindowMark, WindowPlace } from '../needs.js'
import type { Clip, EncodedFrame, StreamInfo } from '../types.js'
import type { ClipRule, RuleMark, RuleState } from './clip-rule.js'

/** Makes the rule of one epoch; with the state that an earlier one was left in, where there is one. */
export type CreateRule = (state?: RuleState) => ClipRule

/**
 * Runs a clip rule over a stream of encoded frames: the core of `slidingWindow` and `wholeClip`.
 *
 * Each epoch gets a rule of its own, so that no clip spans a reconnect. On complete the last rule's
 * `end` is emitted; on error and on unsubscribe it is not, and what it held is let go.
 *
 * What the rule holds is told to the stream's ledger, so that a stream that can be read again resumes
 * where the oldest open window began, and the rule is put back into the state it had there.
 */
export function collectClips(createRule: CreateRule): OperatorFunction<EncodedFrame, Clip> {
  return (frames) =>
    defer(() => {
      const collector = new Collector(createRule)
      return concat(
        frames.pipe(mergeMap((frame) => collector.take(frame))),
        defer(() => collector.end()),
      )
    })
}

/** Whether a frame was dealt with before the operator was left. */
function isPast({ position }: EncodedFrame, restored: WindowMark | undefined): boolean {
  if (restored?.from !== undefined) return position < restored.from
  return restored?.after !== undefined && position <= restored.after
}

/** The state to go on with, if it is of the frame's epoch. */
function stateOf(restored: WindowMark | undefined, { stream }: EncodedFrame): RuleState | undefined {
  return restored?.epoch === stream.epoch ? restored.state : undefined
}

/** One subscription's rule, and the losses it has told it of. */
class Collector {
  readonly #createRule: CreateRule
  #rule: ClipRule | undefined
  #stream: StreamInfo | undefined
  #place: WindowPlace | undefined
  #lostBefore = 0

  constructor(createRule: CreateRule) {
    this.#createRule = createRule
  }

  *take(frame: EncodedFrame): Iterable<Clip> {
    this.#place ??= frame.stream.ledger.window()
    // Read again for another operator of the stream, or for a question that was open: this one is past it.
    if (isPast(frame, this.#place.restored)) return
    const isNewEpoch = this.#stream !== undefined && this.#stream.epoch !== frame.stream.epoch
    if (isNewEpoch) yield* this.end()
    const isFirst = this.#stream === undefined
    this.#stream = frame.stream
    this.#rule ??= this.#createRule(isFirst ? stateOf(this.#place.restored, frame) : undefined)
    const rule = this.#rule
    const before = rule.mark()
    const clips = rule.take({ frame, lostBefore: this.#newlyLost(frame.stream) })
    yield* this.#withNeeds(clips, before)
    const mark = rule.mark()
    const { epoch } = frame.stream
    this.#place.hold(mark.from === undefined ? { ...mark, epoch, after: frame.position } : { ...mark, epoch })
  }

  *end(): Iterable<Clip> {
    if (this.#rule === undefined || this.#stream === undefined) return
    const rule = this.#rule
    this.#rule = undefined
    yield* this.#withNeeds(rule.end(this.#newlyLost(this.#stream)), rule.mark())
    this.#place?.hold(undefined)
  }

  /**
   * Notes with each clip what its frames were held under. Until the clip's questions are open the ledger is
   * told of nothing new: there is no moment at which nobody needs the frames.
   */
  #withNeeds(clips: readonly Clip[], mark: RuleMark): readonly Clip[] {
    const place = this.#place?.place ?? 0
    return clips.map((clip) => {
      const from = mark.from ?? clip.frames[0]?.position ?? 0
      return { ...clip, need: { from, window: { place, epoch: clip.stream.epoch, ...mark, from } } }
    })
  }

  /** Frames that failed or were dropped since the last call. `encode` settles in order, so they belong right here. */
  #newlyLost({ ledger }: StreamInfo): number {
    const { failed, dropped } = ledger.counts()
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, failed)
    const newlyLost = lost - this.#lostBefore
    this.#lostBefore = lost
    return newlyLost
  }
}
