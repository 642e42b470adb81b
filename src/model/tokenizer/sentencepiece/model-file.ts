import { BinaryReader } from '@bufbuild/protobuf/wire'
import { StreamError } from '../../../errors.js'
import { byteOf } from './byte-piece.js'

/** What a piece is for: `SentencePiece.Type` of SentencePiece's `sentencepiece_model.proto`, from 1 on. */
const PIECE_KINDS = ['normal', 'unknown', 'control', 'user-defined', 'unused', 'byte'] as const

/** `TrainerSpec.ModelType`, from 1 on. */
const ALGORITHMS = ['unigram', 'bpe', 'word', 'char'] as const

/** One entry of the vocabulary; its id is its place. */
export interface Piece {
  /** As it is in the file: a space is U+2581. */
  readonly text: string
  /** Of two pieces that could be merged, the one with the higher score is. */
  readonly score: number
  readonly kind: (typeof PIECE_KINDS)[number]
}

/** How text is changed before it is cut. */
export interface NormaliserSettings {
  /** Replacements, compiled; see `charsmap.ts`. Empty: none. */
  readonly charsmap: Uint8Array
  /** Whether text gets a space in front. */
  readonly addsDummyPrefix: boolean
  /** Whether spaces at both ends go, and runs of them become one. */
  readonly removesExtraSpaces: boolean
  /** Whether spaces become U+2581. */
  readonly escapesSpaces: boolean
  /** Whether the dummy prefix goes behind the text instead. */
  readonly spaceIsSuffix: boolean
}

/** What a SentencePiece model file says. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[]
  /** Whether characters without a piece are spelled in bytes. */
  readonly hasByteFallback: boolean
  /** What the unknown piece is decoded to. */
  readonly unknownSurface: string
  readonly normaliser: NormaliserSettings
}

/** The fields that are read, with the defaults of the file format. */
interface RawModel {
  readonly pieces: Piece[]
  algorithm: number
  hasByteFallback: boolean
  unknownSurface: string
  normaliser: NormaliserSettings
  denormaliser: Uint8Array
}

/**
 * Reads a SentencePiece model file.
 *
 * ```
 * ModelProto      1 pieces…          2 trainer_spec           3 normalizer_spec   5 denormalizer_spec
 * SentencePiece   1 piece string     2 score float            3 type enum
 * TrainerSpec     3 model_type enum  24 treat_whitespace_as_suffix bool  35 byte_fallback bool  44 unk_surface string
 * NormalizerSpec  2 precompiled_charsmap bytes  3 add_dummy_prefix  4 remove_extra_whitespaces  5 escape_whitespaces
 * ```
 *
 * @param path For messages.
 * @throws {StreamError} `TOKENIZER_INVALID` where it is no such file, or of a kind that isn't supported (only BPE is).
 */
export function parseSentencePieceModel(path: string, bytes: Uint8Array): SentencePieceModel {
  const raw = readModel(path, bytes)
  const invalid = (detail: string): StreamError => new StreamError('TOKENIZER_INVALID', `\`${path}\` ${detail}.`)
  const algorithm = ALGORITHMS[raw.algorithm - 1] ?? 'unknown'
  if (raw.pieces.length === 0) throw invalid('is not a SentencePiece model: it has no pieces')
  if (algorithm !== 'bpe') throw invalid(`is a SentencePiece model of kind \`${algorithm}\`; only \`bpe\` is supported`)
  if (raw.denormaliser.length > 0) throw invalid('changes text when it is decoded (denormalizer_spec), which is not supported')
  checkPieces(raw, invalid)
  const { pieces, hasByteFallback, unknownSurface, normaliser } = raw
  return { pieces, hasByteFallback, unknownSurface, normaliser }
}

/** What SentencePiece itself refuses to load. Source: `model_interface.cc` (`InitializePieces`). */
function checkPieces({ pieces, hasByteFallback }: RawModel, invalid: (detail: string) => StreamError): void {
  const empty = pieces.findIndex(({ text }) => text === '')
  if (empty !== -1) throw invalid(`has no text for piece ${empty}`)
  if (pieces.filter(({ kind }) => kind === 'unknown').length !== 1) throw invalid('does not have exactly one unknown piece')
  const bytes = pieces.filter(({ kind }) => kind === 'byte')
  if (bytes.some(({ text }) => byteOf(text) === undefined)) throw invalid('has a byte piece that names no byte')
  const found = new Set(bytes.map(({ text }) => text)).size
  if (found !== (hasByteFallback ? 256 : 0)) {
    throw invalid(`has ${found} byte pieces, and byte_fallback is ${hasByteFallback}`)
  }
}

function readModel(path: string, bytes: Uint8Array): RawModel {
  const model: RawModel = {
    pieces: [],
    algorithm: 1,
    hasByteFallback: false,
    unknownSurface: ' \u2047 ',
    normaliser: {
      charsmap: new Uint8Array(),
      addsDummyPrefix: true,
      removesExtraSpaces: true,
      escapesSpaces: true,
      spaceIsSuffix: false,
    },
    denormaliser: new Uint8Array(),
  }
  try {
    readFields(bytes, {
      1: (reader) => model.pieces.push(readPiece(reader.bytes())),
      2: (reader) => {
        readTrainer(reader.bytes(), model)
      },
      3: (reader) => {
        model.normaliser = { ...model.normaliser, ...readNormaliser(reader.bytes()) }
      },
      5: (reader) => {
        model.denormaliser = readNormaliser(reader.bytes()).charsmap ?? model.denormaliser
      },
    })
  } catch (error) {
    throw new StreamError('TOKENIZER_INVALID', `\`${path}\` is not a SentencePiece model, or was cut.`, { cause: error })
  }
  return model
}

function readPiece(bytes: Uint8Array): Piece {
  let [text, score, kind] = ['', 0, 1]
  readFields(bytes, {
    1: (reader) => (text = reader.string()),
    2: (reader) => (score = reader.float()),
    3: (reader) => (kind = reader.int32()),
  })
  const named = PIECE_KINDS[kind - 1]
  if (named === undefined) throw new RangeError(`no kind of piece has the number ${kind}`)
  return { text, score, kind: named }
}

function readTrainer(bytes: Uint8Array, model: RawModel): void {
  readFields(bytes, {
    3: (reader) => (model.algorithm = reader.int32()),
    24: (reader) => (model.normaliser = { ...model.normaliser, spaceIsSuffix: reader.bool() }),
    35: (reader) => (model.hasByteFallback = reader.bool()),
    44: (reader) => (model.unknownSurface = reader.string()),
  })
}

function readNormaliser(bytes: Uint8Array): Partial<NormaliserSettings> {
  const found: { -readonly [Key in keyof NormaliserSettings]?: NormaliserSettings[Key] } = {}
  readFields(bytes, {
    2: (reader) => (found.charsmap = reader.bytes()),
    3: (reader) => (found.addsDummyPrefix = reader.bool()),
    4: (reader) => (found.removesExtraSpaces = reader.bool()),
    5: (reader) => (found.escapesSpaces = reader.bool()),
  })
  return found
}

/** Goes through a message's fields; those without a reader are passed over. */
function readFields(bytes: Uint8Array, readers: Readonly<Record<number, (reader: BinaryReader) => unknown>>): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    const read = readers[field]
    if (read === undefined) reader.skip(wireType)
    else read(reader)
  }
}
