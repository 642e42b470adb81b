import type { WindowMark } from '../needs.js'
import type { Clip, EncodedFrame } from '../types.js'

/** An encoded frame, with the frames of its stream that were lost just before it. */
export interface HeldFrame {
  readonly frame: EncodedFrame
  /** Frames that failed or were dropped since the frame before. */
  readonly lostBefore: number
}

/** What a rule holds: from which frame on, and what can't be told from the frames themselves. */
export type RuleMark = Omit<WindowMark, 'place' | 'epoch'>

/** What a rule knows beside the frames it will be handed; numbers by name. */
export type RuleState = WindowMark['state']

/** Decides which frames make a clip: a plain state machine over one epoch of one stream. */
export interface ClipRule {
  /** Takes the next frame; gives the clips it completes. */
  take(held: HeldFrame): readonly Clip[]
  /** The epoch has ended; `lostAfter` frames were lost after its last one. */
  end(lostAfter: number): readonly Clip[]
  /** What is held now: a rule made with this state, handed the frames from there on, does as this one will. */
  mark(): RuleMark
}

/** What a clip's frames don't say themselves. */
export interface ClipNotes {
  /** Frames that were lost after the last one. */
  readonly lostAfter?: number
  /** What is incomplete about the clip. */
  readonly warnings?: readonly string[]
}

/**
 * Makes a clip of held frames.
 *
 * Its coverage is what the source could read, times the share of the handed out frames that were not
 * lost on the way (failed in the model, or dropped).
 *
 * @param held At least one frame, in media time order.
 */
export function makeClip(held: readonly HeldFrame[], { lostAfter = 0, warnings = [] }: ClipNotes = {}): Clip {
  const frames = held.map(({ frame }) => frame)
  const [first, last] = [frames[0], frames.at(-1)]
  if (first === undefined || last === undefined) throw new Error('A clip holds at least one frame.')
  const lost = held.reduce((sum, { lostBefore }) => sum + lostBefore, lostAfter)
  const health = last.stream.health({ startMs: first.ptsMs, endMs: last.ptsMs })
  return {
    stream: last.stream,
    frames,
    startMs: first.ptsMs,
    endMs: last.ptsMs,
    coverage: health.coverage * (frames.length / (frames.length + lost)),
    warnings: [...health.warnings, ...(lost === 0 ? [] : [lossWarning(lost, frames.length)]), ...warnings],
  }
}

/** The mark of a rule that holds these frames. */
export function markOf(held: readonly HeldFrame[], state: RuleState): RuleMark {
  const from = held[0]?.frame.position
  return from === undefined ? { state } : { from, state }
}

function lossWarning(lost: number, had: number): string {
  return `${lost} of ${lost + had} frames were lost: they failed in the model or were dropped.`
}
