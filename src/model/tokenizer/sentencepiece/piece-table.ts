import type { Piece, SentencePieceModel } from './model-file.js'

/** A model's pieces, by text and by id. */
export interface PieceTable {
  /** Number of pieces. */
  readonly size: number
  readonly unknownId: number
  /** The id of a piece; that of the unknown one where there is no such piece. */
  idOf(text: string): number
  /** The piece of an id; undefined beyond the table. */
  pieceOf(id: number): Piece | undefined
  /** The piece that symbols may be merged to; undefined where there is none: bytes and control symbols aren't. */
  mergeable(text: string): Piece | undefined
}

/** Where a text is both a reserved piece and an ordinary one, the reserved one counts. Source: SentencePiece `model_interface.cc`. */
export function createPieceTable({ pieces }: SentencePieceModel): PieceTable {
  const ordinary = new Map<string, number>()
  const reserved = new Map<string, number>()
  pieces.forEach(({ text, kind }, id) => (isOrdinary(kind) ? ordinary : reserved).set(text, id))
  const unknownId = pieces.findIndex(({ kind }) => kind === 'unknown')
  return {
    size: pieces.length,
    unknownId,
    idOf: (text) => reserved.get(text) ?? ordinary.get(text) ?? unknownId,
    pieceOf: (id) => pieces[id],
    mergeable(text) {
      const id = ordinary.get(text)
      return id === undefined ? undefined : pieces[id]
    },
  }
}

function isOrdinary(kind: Piece['kind']): boolean {
  return kind === 'normal' || kind === 'user-defined' || kind === 'unused'
}
