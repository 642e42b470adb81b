/** Turns bytes into text as they come. */
export interface ByteRun {
  /** Characters that the byte completes, maybe none. */
  push(byte: number): string
  /** Ends the text: what is left of an unfinished character becomes U+FFFD, one a byte. */
  finish(): string
}

const REPLACEMENT = '\ufffd'

/**
 * Begins a run of bytes of UTF-8. Each byte that is not part of a character becomes a U+FFFD of its own, where `TextDecoder`
 * makes one of several. Source: SentencePiece `sentencepiece_processor.cc` (`ProcessBytePieces`), `util.cc` (`DecodeUTF8`).
 */
export function createByteRun(): ByteRun {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const waiting: number[] = []

  const characterOf = (length: number): string | undefined => {
    try {
      return decoder.decode(Uint8Array.from(waiting.slice(0, length)))
    } catch {
      return undefined
    }
  }
  /** Takes what is decided from the front. */
  const settle = (isLast: boolean): string => {
    let text = ''
    while (waiting.length > 0) {
      const length = lengthOf(waiting)
      if (length > waiting.length && !isLast) break
      const character = length === 0 ? undefined : characterOf(length)
      text += character ?? REPLACEMENT
      waiting.splice(0, character === undefined ? 1 : length)
    }
    return text
  }

  return {
    push(byte) {
      waiting.push(byte)
      return settle(false)
    },
    finish: () => settle(true),
  }
}

/** Bytes of the character that begins here; 0 where none can. */
function lengthOf([lead = 0, ...trail]: readonly number[]): number {
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
  return trail.slice(0, Math.max(0, length - 1)).every((byte) => byte >= 0x80 && byte < 0xc0) ? length : 0
}
