/** Text to token ids, and token ids to text. */
export interface Tokenizer {
  /** Ids of a text, with a BOS in front where the tokenizer adds one, and an EOS behind where it adds that. */
  encode(text: string): readonly number[]
  /** Begins a text. */
  decoder(): TokenDecoder
  /** A token as the vocabulary has it, e.g. `▁red` or `Ġred`; undefined where no token has this id. */
  token(id: number): string | undefined
  /** Id of the token that begins a text, where there is one. */
  readonly bosTokenId: number | undefined
  /** Whether spaces before punctuation are removed when text is decoded. */
  readonly cleansUp: boolean
}

/**
 * Turns token ids into text as they come, before anything is cleaned up. Special tokens and ids without a token (embedding tables
 * are often padded beyond the vocabulary) stand for nothing.
 */
export interface TokenDecoder {
  /** Text that the token settles: whole characters, maybe none. */
  push(id: number): string
  /** The text that was still held back. Call once, after the last token. */
  finish(): string
}
