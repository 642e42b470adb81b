/** Why a model answered as it did: what `ask --explain` shows. */
export interface Explanation {
  /** What was asked about, e.g. the file's name. */
  readonly title: string
  readonly question: string
  /** Name of the model. */
  readonly model: string
  /** What the model saw, in order. */
  readonly frames: readonly ExplainedFrame[]
  /** The answer, token by token; special tokens at its end included. */
  readonly tokens: readonly ExplainedToken[]
  readonly patches: PatchGrid
}

/** One picture the model saw. */
export interface ExplainedFrame {
  /** The picture as JPEG. */
  readonly jpeg: Uint8Array
  /** In pixels, of the picture that was handed to the model. */
  readonly width: number
  readonly height: number
  /** Media time in milliseconds. */
  readonly ptsMs: number
}

/** How a tower cuts a picture into patches. */
export interface PatchGrid {
  readonly rows: number
  readonly columns: number
}

/** A token the model could have said. */
export interface Candidate {
  /** As it is decoded by itself. */
  readonly text: string
  /** Of all tokens, at temperature 1: 0 to 1. */
  readonly probability: number
}

/** One token of the answer, and where the model looked when it chose it. */
export interface ExplainedToken extends Candidate {
  /** The likeliest other tokens, best first. */
  readonly others: readonly Candidate[]
  /** Share of its attention that went to the pictures, 0 to 1; the rest went to text. */
  readonly pictureShare: number
  /** For each frame, `[rows * columns]` row by row: share of the attention on the pictures. All frames together sum to 1. */
  readonly maps: readonly Float32Array[]
}
