import { StreamError } from '../../../errors.js'

/** A replacement that begins at a place of a text. */
export interface Replacement {
  /** UTF-16 units of the text it takes the place of. */
  readonly length: number
  readonly text: string
}

/** The longest replacement that begins at a place of a text. */
export type Charsmap = (text: string, at: number) => Replacement | undefined

const HEADER_BYTES = 4
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Reads a precompiled map of characters.
 *
 * ```
 * u32 bytes of the trie │ trie: u32 units of a double array, over UTF-8 │ replacements, each ended by a zero byte
 *
 * unit   bits 0-7 label, 8 has a leaf, 9-31 offset to the children; a leaf's 31 lower bits: place of its replacement
 * ```
 *
 * Source: SentencePiece `normalizer.cc` (`DecodePrecompiledCharsMap`, `NormalizePrefix`), darts-clone `darts.h`.
 *
 * @param bytes Empty: nothing is replaced.
 * @throws {StreamError} `TOKENIZER_INVALID` where the trie is longer than the map.
 */
export function parseCharsmap(path: string, bytes: Uint8Array): Charsmap {
  if (bytes.length === 0) return () => undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const trieBytes = bytes.length > HEADER_BYTES ? view.getUint32(0, true) : Infinity
  if (trieBytes % 4 !== 0 || HEADER_BYTES + trieBytes > bytes.length) {
    throw new StreamError('TOKENIZER_INVALID', `\`${path}\` has a broken map of characters (precompiled_charsmap).`)
  }
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, unit) => view.getUint32(HEADER_BYTES + unit * 4, true))
  const replacements = bytes.subarray(HEADER_BYTES + trieBytes)
  return (text, at) => {
    const found = longestMatch(trie, text, at)
    return found && { length: found.length, text: textAt(replacements, found.value) }
  }
}

function longestMatch(trie: Uint32Array, text: string, at: number): { length: number; value: number } | undefined {
  let found: { length: number; value: number } | undefined
  let node = offsetOf(trie[0] ?? 0)
  for (let end = at; end < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(end) ?? 0)
    end += character.length
    for (const byte of ENCODER.encode(character)) {
      node ^= byte
      const unit = trie[node]
      if (unit === undefined || labelOf(unit) !== byte) return found
      node ^= offsetOf(unit)
      if (hasLeaf(unit)) found = { length: end - at, value: (trie[node] ?? 0) & 0x7fffffff }
    }
  }
  return found
}

const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1
/** A leaf's highest bit is set, so that it is no byte's label. */
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)

function textAt(replacements: Uint8Array, start: number): string {
  const end = replacements.indexOf(0, start)
  return DECODER.decode(replacements.subarray(start, end === -1 ? undefined : end))
}
