import { BestFirst } from './best-first.js'
import type { PieceTable } from './piece-table.js'
import type { SymbolMatcher } from './symbol-matcher.js'

/** A stretch of text on its way to a piece, linked to those beside it. */
interface TextSymbol {
  /** Empty once it was merged into the one before it. */
  text: string
  previous: TextSymbol | undefined
  next: TextSymbol | undefined
  /** Place in the text. */
  readonly at: number
  /** Whether it is a user-defined symbol, which is never merged. */
  readonly isFrozen: boolean
}

/** Two neighbours that make a piece together. */
interface Pair {
  readonly left: TextSymbol
  readonly right: TextSymbol
  readonly score: number
  /** Length of both when they were found: they may have grown since. */
  readonly length: number
}

/**
 * Cuts normalised text into pieces by byte-pair encoding: of all neighbours that make a piece, those that make the one with the
 * highest score are merged, the leftmost first, until none are left. Source: SentencePiece `bpe_model.cc` (`SampleEncode`
 * with alpha 0).
 *
 * Pieces that are marked as unused are taken apart again. What has no piece comes out character by character.
 */
export function mergeToPieces(table: PieceTable, symbolAt: SymbolMatcher, text: string): readonly string[] {
  const first = toSymbols(symbolAt, text)
  const agenda = new BestFirst<Pair>((a, b) => a.score > b.score || (a.score === b.score && a.left.at < b.left.at))
  const partsOfUnused = new Map<string, readonly [string, string]>()
  const consider = (left: TextSymbol | undefined, right: TextSymbol | undefined): void => {
    if (left === undefined || right === undefined || left.isFrozen || right.isFrozen) return
    const merged = table.mergeable(left.text + right.text)
    if (merged === undefined) return
    agenda.push({ left, right, score: merged.score, length: merged.text.length })
    if (merged.kind === 'unused') partsOfUnused.set(merged.text, [left.text, right.text])
  }

  for (let symbol = first; symbol !== undefined; symbol = symbol.next) consider(symbol, symbol.next)
  for (let pair = agenda.pop(); pair !== undefined; pair = agenda.pop()) {
    const { left, right } = pair
    if (!isCurrent(pair)) continue
    mergeInto(left, right)
    consider(left.previous, left)
    consider(left, left.next)
  }
  return [...piecesOf(first, partsOfUnused)]
}

function toSymbols(symbolAt: SymbolMatcher, text: string): TextSymbol | undefined {
  let first: TextSymbol | undefined
  let last: TextSymbol | undefined
  for (let at = 0; at < text.length; ) {
    const userDefined = symbolAt(text, at)
    const symbol: TextSymbol = {
      text: userDefined ?? String.fromCodePoint(text.codePointAt(at) ?? 0),
      previous: last,
      next: undefined,
      at,
      isFrozen: userDefined !== undefined,
    }
    if (last !== undefined) last.next = symbol
    first ??= symbol
    last = symbol
    at += symbol.text.length
  }
  return first
}

/** Whether neither of the two was merged with another in the meantime. */
function isCurrent({ left, right, length }: Pair): boolean {
  return left.text !== '' && right.text !== '' && left.text.length + right.text.length === length
}

function mergeInto(left: TextSymbol, right: TextSymbol): void {
  left.text += right.text
  left.next = right.next
  if (right.next !== undefined) right.next.previous = left
  right.text = ''
}

function* piecesOf(first: TextSymbol | undefined, partsOfUnused: ReadonlyMap<string, readonly [string, string]>): Generator<string> {
  for (let symbol = first; symbol !== undefined; symbol = symbol.next) yield* takenApart(symbol.text, partsOfUnused)
}

function* takenApart(text: string, partsOfUnused: ReadonlyMap<string, readonly [string, string]>): Generator<string> {
  const parts = partsOfUnused.get(text)
  if (parts === undefined) yield text
  else for (const part of parts) yield* takenApart(part, partsOfUnused)
}
