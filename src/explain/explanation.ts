import type { ExplainedAnswer } from '../model/explain/explained-answer.js'
import type { PixelKind } from '../types.js'

/** Why a model answered as it did: what `ask --explain` shows. */
export interface Explanation extends ExplainedAnswer {
  /** What was asked about, e.g. the file's name. */
  readonly title: string
  readonly question: string
  /** The answer's text. */
  readonly answer: string
  /** Name of the model. */
  readonly model: string
  /** Plain sentences about what was missing or cut. */
  readonly warnings: readonly string[]
  /** What the model saw, in order. */
  readonly frames: readonly SeenFrame[]
}

/** One picture the model saw. */
export interface SeenFrame {
  /** The picture as JPEG, at most `MOST_PIXELS_ACROSS` wide and high. */
  readonly jpeg: Uint8Array
  /** In pixels, of the JPEG. */
  readonly width: number
  readonly height: number
  /** @default 'frame' */
  readonly kind?: PixelKind
  /** Media time in milliseconds. */
  readonly ptsMs: number
}
