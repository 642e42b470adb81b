import type { TokenPiece } from './tokenizer.js'

/** Joins the pieces of tokens to text, holding back the bytes of an unfinished character. */
export interface PieceJoiner {
  push(piece: TokenPiece): string
  /** Ends the text: an unfinished character becomes U+FFFD. */
  finish(): string
}

/**
 * Makes a joiner that does what the slow tokenizers' `_decode` does: runs of byte tokens are decoded as
 * UTF-8 (malformed bytes become U+FFFD), added tokens stand on their own.
 *
 * @param spacesBetween Whether runs and added tokens are joined by a space, as all slow tokenizers of
 *   transformers 4.40.1 but Qwen2's do: `a`, `<tab run>`, `b` becomes `a <tab run> b`.
 */
export function createPieceJoiner(spacesBetween: boolean): PieceJoiner {
  const separator = spacesBetween ? ' ' : ''
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let isEmpty = true

  const separate = (): string => {
    const text = isEmpty ? '' : separator
    isEmpty = false
    return text
  }
  const endRun = (): string => {
    const text = decoder?.decode() ?? ''
    decoder = undefined
    return text
  }

  return {
    push(piece) {
      if (piece.kind === 'none') return ''
      if (piece.kind === 'added') return endRun() + separate() + piece.text
      const lead = decoder === undefined ? separate() : ''
      // `ignoreBOM` keeps a U+FEFF in the text, as Python does.
      decoder ??= new TextDecoder('utf-8', { ignoreBOM: true })
      return lead + decoder.decode(piece.bytes, { stream: true })
    },
    finish: endRun,
  }
}
