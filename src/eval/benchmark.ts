import type { PixelKind } from '../types.js'
import type { DataFolder } from './data-folder.js'
import type { FrameBudget } from './frames/frame-budget.js'
import type { VideoFacts } from './frames/video-facts.js'
import type { Guess } from './guess.js'

/** Which frames are looked at, and what is asked about them. */
export interface FramePlan {
  /** Places of the frames (of a folder: numbers of its pictures), ascending, repeats included. */
  readonly indices: readonly number[]
  /** The user's turn; an `<image>` in it is moved to its front, as in the reference. */
  readonly question: string
}

/** What the model is shown. */
export type ShownMedia =
  | {
      readonly kind: 'video'
      readonly path: string
      /** What a frame is to the model: the reference hands over Pillow images here and tensors there. */
      readonly pixels: PixelKind
      readonly plan: (facts: VideoFacts, budget: FrameBudget) => FramePlan | Promise<FramePlan>
      /** Files that the plan reads. @default none */
      readonly needs?: readonly string[]
    }
  /** A video that is stored as pictures, `00001.jpg` and on. */
  | { readonly kind: 'folder'; readonly path: string; readonly plan: (pictures: number, budget: FrameBudget) => FramePlan }
  | { readonly kind: 'picture'; readonly path: string; readonly question: string }

/** What a question is about. */
export type EvalMedia =
  | ShownMedia
  /** Text alone: the language model is asked without a picture. */
  | { readonly kind: 'text'; readonly question: string }
  /** Nothing that the model could be asked: the reference makes up an answer. */
  | { readonly kind: 'nothing'; readonly answer: (guess: Guess) => string }

/** What an answer is worth. */
export interface Verdict {
  /** What the answer was taken for: a letter, a word, or the answer itself. */
  readonly predicted: string
  /** 1: right, 0: wrong, or between; undefined where the score is made elsewhere. */
  readonly points?: number
}

/** One question of a benchmark. */
export interface EvalSample {
  /** Unique within the benchmark. */
  readonly id: string
  /** What scores are told by: a task, a length, a category. */
  readonly group: string
  readonly media: EvalMedia
  /** @param guess Makes the choice where the answer names none. */
  readonly judge: (answer: string, guess: Guess) => Verdict
}

/** A question that was answered. */
export interface Judged {
  readonly sample: EvalSample
  readonly answer: string
  readonly verdict: Verdict
}

/** A score, in the form in which the reference tells it. */
export interface Score {
  /** A table: the first row is its head. */
  readonly table: readonly (readonly string[])[]
  /** The numbers, by the names that the reference gives them; JSON. */
  readonly final: Readonly<Record<string, unknown>>
}

/** A file for those who score elsewhere, or that the reference's script writes. */
export interface EvalFile {
  /** What it is, for its name: `answers.jsonl`, `upload.json`. */
  readonly name: string
  readonly text: string
}

/** Who answered. */
export interface Answerer {
  readonly model: string
  /** Chat template that was used. */
  readonly template: string
}

/** The questions of a benchmark, and what is written of their answers. */
export interface EvalData {
  readonly samples: readonly EvalSample[]
  readonly files?: (judged: readonly Judged[], answerer: Answerer) => readonly EvalFile[]
}

/** One benchmark: where its questions lie, how they are asked and how their answers score. */
export interface Benchmark {
  /** As it is written in papers. */
  readonly title: string
  /** @throws {StreamError} `EVAL_DATA_NOT_FOUND`, `EVAL_DATA_INVALID`. */
  readonly read: (data: DataFolder) => Promise<EvalData>
  /** As the reference's own script sets it; left out where it asks about pictures. */
  readonly budget?: FrameBudget
  readonly maxNewTokens: number
  readonly score: (judged: readonly Judged[]) => Score
}
