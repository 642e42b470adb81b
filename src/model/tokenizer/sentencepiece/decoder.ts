import type { RunDecoder } from '../run-joiner.js'
import { byteOf } from './byte-piece.js'
import { createByteRun } from './byte-run.js'
import type { SentencePieceModel } from './model-file.js'
import { SPACE_SYMBOL } from './normaliser.js'
import type { PieceTable } from './piece-table.js'

/**
 * Makes a decoder of a run of pieces: `SentencePieceProcessor.decode(pieces)`. Source: SentencePiece
 * `sentencepiece_processor.cc` (`Decode`).
 *
 * Bytes are joined to characters; where the model adds a dummy prefix or removes spaces, those at the beginning go.
 */
export function createPieceDecoder(model: SentencePieceModel, table: PieceTable): RunDecoder<string> {
  const { addsDummyPrefix, removesExtraSpaces } = model.normaliser
  const takesSpaces = addsDummyPrefix || removesExtraSpaces
  let bytes = createByteRun()
  let isAtStart = true

  const textOf = (piece: string): string => {
    const known = table.pieceOf(table.idOf(piece))
    if (known?.kind === 'control') return ''
    if (known?.kind === 'unknown') return known.text === piece ? model.unknownSurface : piece
    const startsWithSpace = isAtStart && takesSpaces && piece.startsWith(SPACE_SYMBOL)
    // A dummy prefix is one space; a model that removes spaces has none at all in front.
    if (startsWithSpace && !removesExtraSpaces) isAtStart = false
    return (startsWithSpace ? piece.slice(SPACE_SYMBOL.length) : piece).replaceAll(SPACE_SYMBOL, ' ')
  }
  const noting = (text: string): string => {
    if (text !== '') isAtStart = false
    return text
  }

  return {
    push(piece) {
      const byte = table.pieceOf(table.idOf(piece))?.kind === 'byte' ? byteOf(piece) : undefined
      if (byte !== undefined) return noting(bytes.push(byte))
      const before = noting(bytes.finish())
      bytes = createByteRun()
      return before + noting(textOf(piece))
    },
    finish: () => bytes.finish(),
  }
}
