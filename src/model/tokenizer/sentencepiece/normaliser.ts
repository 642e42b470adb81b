import type { Charsmap } from './charsmap.js'
import type { NormaliserSettings } from './model-file.js'
import type { SymbolMatcher } from './symbol-matcher.js'

/** What a space is in pieces: U+2581, lower one eighth block. */
export const SPACE_SYMBOL = '\u2581'

/** What text is changed by. */
export interface NormaliserSetup extends Omit<NormaliserSettings, 'charsmap'> {
  readonly charsmap: Charsmap
  readonly symbolAt: SymbolMatcher
}

/** A stretch of text, as it was and as it becomes. */
interface Stretch {
  readonly length: number
  readonly text: string
}

/**
 * Puts text in the form that is cut into pieces. Source: SentencePiece `normalizer.cc` (`Normalizer::Normalize`).
 *
 * User-defined symbols stay, what the map of characters has is replaced, spaces are dropped and escaped as the model asks.
 */
export function normalise(setup: NormaliserSetup, text: string): string {
  const { removesExtraSpaces, escapesSpaces, addsDummyPrefix, spaceIsSuffix } = setup
  const start = removesExtraSpaces ? endOfSpaces(setup, text) : 0
  if (start === text.length) return ''
  const space = escapesSpaces ? SPACE_SYMBOL : ' '

  let result = addsDummyPrefix && !spaceIsSuffix ? space : ''
  let isAfterSpace = removesExtraSpaces
  for (let at = start; at < text.length; ) {
    const stretch = stretchAt(setup, text, at)
    const kept = isAfterSpace ? stretch.text.replace(/^ +/, '') : stretch.text
    result += kept.replaceAll(' ', space)
    if (kept !== '') isAfterSpace = removesExtraSpaces && kept.endsWith(' ')
    at += stretch.length
  }
  if (removesExtraSpaces) result = withoutEnd(result, space)
  return addsDummyPrefix && spaceIsSuffix ? result + space : result
}

function stretchAt({ symbolAt, charsmap }: NormaliserSetup, text: string, at: number): Stretch {
  const symbol = symbolAt(text, at)
  if (symbol !== undefined) return { length: symbol.length, text: symbol }
  const replacement = charsmap(text, at)
  if (replacement !== undefined) return replacement
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
  return { length: character.length, text: character }
}

/** The end of the spaces that text begins with, also of what becomes a space. */
function endOfSpaces(setup: NormaliserSetup, text: string): number {
  let at = 0
  while (at < text.length) {
    const stretch = stretchAt(setup, text, at)
    if (stretch.text !== ' ') break
    at += stretch.length
  }
  return at
}

function withoutEnd(text: string, end: string): string {
  let length = text.length
  while (text.endsWith(end, length)) length -= end.length
  return text.slice(0, length)
}
