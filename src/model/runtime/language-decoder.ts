/** A text under way: what the decoder has seen so far, as keys and values. */
export interface DecoderSequence {
  /** Positions appended so far. Not for a sequence that takes part in steps. */
  readonly length: number
  /**
   * Appends positions and predicts the token after them. Not for a sequence that takes part in steps.
   *
   * @param embeddings float32 `[rows, width]`, row by row.
   * @returns Logits after the last row, float32 `[vocabulary]`.
   * @throws {StreamError} `MODEL_FAILED`.
   */
  append(embeddings: Float32Array): Promise<Float32Array>
  /** What has been seen so far, for other sequences to begin with. Nothing is copied. */
  prefix(): DecoderPrefix
  /** Frees the keys and values, but for those of prefixes. */
  dispose(): void
}

/** The beginning of a text, which any number of sequences may share. */
export interface DecoderPrefix {
  /** Positions of it. */
  readonly length: number
  /** Memory it keeps. */
  readonly bytes: number
  /** A sequence that goes on from here. @param room Positions that it will need in all. */
  begin(room: number): DecoderSequence
  dispose(): void
}

/** A language model's layers and head, with a cache of keys and values. */
export interface LanguageDecoder {
  /** Most sequences in one step; 1 where they gain nothing from stepping together. */
  readonly width: number
  /** An empty sequence. @param room Positions that it will need. */
  begin(room: number): DecoderSequence
  /**
   * One token more for each of some sequences.
   *
   * @param sequences In any order; one that is left out never takes part again.
   * @param embeddings float32 `[sequences, width]`: the last token of each.
   * @returns Logits of each, float32 `[vocabulary]`, valid until the next step.
   * @throws {StreamError} `MODEL_FAILED`.
   */
  step(sequences: readonly DecoderSequence[], embeddings: Float32Array): Promise<readonly Float32Array[]>
  /** Says that no sequence takes part in steps any more: what they shared is let go. */
  rest(): void
}
