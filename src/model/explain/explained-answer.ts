/** A token the model could have said. */
export interface ExplainedCandidate {
  /** As it is decoded by itself; special tokens as the vocabulary has them. */
  readonly text: string
  /** Of all tokens, at temperature 1: 0 to 1. */
  readonly probability: number
}

/** One token of an answer, and where the model looked when it chose it. */
export interface ExplainedStep extends ExplainedCandidate {
  /** The five likeliest other tokens, best first. */
  readonly others: readonly ExplainedCandidate[]
  /** Share of its attention that went to the visual tokens, 0 to 1, averaged over heads and layers; the rest went to text. */
  readonly pictureShare: number
  /**
   * For each frame `[rows * columns]`, row by row: shares of the attention on visual tokens. All frames together sum to 1. None where
   * the first tokens of a long answer had room for theirs alone.
   */
  readonly maps: readonly Float32Array[]
}

/** Why an answer came out as it did. */
export interface ExplainedAnswer {
  readonly tokens: readonly ExplainedStep[]
  /** Of all tokens together, as those of a token: one a frame. */
  readonly maps: readonly Float32Array[]
  readonly patches: PatchGrid
}

/** How the tower cuts pictures into patches. */
export interface PatchGrid {
  readonly rows: number
  readonly columns: number
  /** Of a picture's shortest edge, the share that is seen: the rest around the centre isn't. Left out: all of the picture is seen. */
  readonly crop?: number
  /** Whether a picture (not a video's frame) is laid on a square first. */
  readonly padsPictures: boolean
}
