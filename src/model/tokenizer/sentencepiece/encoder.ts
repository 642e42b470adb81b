import { bytePiece } from './byte-piece.js'
import { parseCharsmap } from './charsmap.js'
import { mergeToPieces } from './merge.js'
import type { SentencePieceModel } from './model-file.js'
import { normalise } from './normaliser.js'
import type { PieceTable } from './piece-table.js'
import { createSymbolMatcher } from './symbol-matcher.js'

/** Cuts text into pieces. */
export type PieceEncoder = (text: string) => readonly string[]

const ENCODER = new TextEncoder()

/**
 * Makes an encoder: `SentencePieceProcessor.encode(text, out_type=str)`. Source: SentencePiece `sentencepiece_processor.cc`
 * (`Encode`, `PopulateSentencePieceText`).
 *
 * @param path For messages.
 * @throws {StreamError} `TOKENIZER_INVALID` where the model's map of characters is broken.
 */
export function createPieceEncoder(path: string, model: SentencePieceModel, table: PieceTable): PieceEncoder {
  const userDefined = model.pieces.filter(({ kind }) => kind === 'user-defined').map(({ text }) => text)
  const symbolAt = createSymbolMatcher(userDefined)
  const setup = { ...model.normaliser, charsmap: parseCharsmap(path, model.normaliser.charsmap), symbolAt }
  const spellUnknown = model.hasByteFallback ? spellInBytes : joinRuns
  // Half a surrogate pair is no text: it becomes U+FFFD here, as it does in UTF-8.
  return (text) => spellUnknown(table, mergeToPieces(table, symbolAt, normalise(setup, text.replace(/\p{Surrogate}/gu, '\ufffd'))))
}

function isUnknown(table: PieceTable, piece: string): boolean {
  return table.idOf(piece) === table.unknownId
}

function spellInBytes(table: PieceTable, pieces: readonly string[]): readonly string[] {
  return pieces.flatMap((piece) => (isUnknown(table, piece) ? [...ENCODER.encode(piece)].map(bytePiece) : [piece]))
}

/** A run of unknown characters is one unknown piece. */
function joinRuns(table: PieceTable, pieces: readonly string[]): readonly string[] {
  const joined: string[] = []
  let wasUnknown = false
  for (const piece of pieces) {
    const isRun = wasUnknown && isUnknown(table, piece)
    if (isRun) joined.push((joined.pop() ?? '') + piece)
    else joined.push(piece)
    wasUnknown = isUnknown(table, piece)
  }
  return joined
}
