/**
 * GPT-2's alphabet: each byte has one printable character, so that a vocabulary can be kept as JSON text.
 *
 * Bytes that are printable in Latin-1 stand for themselves; the 68 others take U+0100 and up, in order.
 * Source: transformers 4.40.1 `tokenization_gpt2.py` (`bytes_to_unicode`).
 */
const PRINTABLE = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
] as const

/** The character of each byte, by byte. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters()

const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]))

function byteCharacters(): string[] {
  let unprintable = 0
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = PRINTABLE.some(([first, last]) => byte >= first && byte <= last)
    return String.fromCharCode(isPrintable ? byte : 0x100 + unprintable++)
  })
}

/**
 * The bytes a byte-level token stands for.
 *
 * @returns undefined where the token has a character outside the alphabet.
 */
export function tokenBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let index = 0; index < token.length; index += 1) {
    const byte = BYTES.get(token.charAt(index))
    if (byte === undefined) return undefined
    bytes[index] = byte
  }
  return bytes
}
