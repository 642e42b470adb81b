import { join } from 'node:path'
import { type AddedToken, type SpecialTokens, resolveAddedTokens, resolveSpecialTokens } from './added-tokens.js'
import { createAddedTokenSplitter } from './added-token-splitter.js'
import type { TokenizerFiles } from './files.js'
import { type SentencePieceClass, type SpaceRules, sentencePieceClasses } from './sentencepiece-class.js'
import { createPieceDecoder } from './sentencepiece/decoder.js'
import { type PieceEncoder, createPieceEncoder } from './sentencepiece/encoder.js'
import { type SentencePieceModel, parseSentencePieceModel } from './sentencepiece/model-file.js'
import { SPACE_SYMBOL } from './sentencepiece/normaliser.js'
import { type PieceTable, createPieceTable } from './sentencepiece/piece-table.js'
import { type RunDecoder, createRunJoiner } from './run-joiner.js'
import { slowName } from './tokenizer-class.js'
import type { TokenDecoder, Tokenizer } from './tokenizer.js'

/** A model and the tokens that were added to it. */
interface Vocabulary {
  readonly model: SentencePieceModel
  readonly table: PieceTable
  readonly specialTokens: SpecialTokens
  readonly addedTokens: readonly AddedToken[]
}

/**
 * Makes a SentencePiece tokenizer (Llama's, Gemma's class) from `tokenizer.model` and the tokens that the config adds.
 *
 * @returns undefined where the files aren't those of such a class.
 * @throws {StreamError} `TOKENIZER_INVALID` where the model is malformed, or of a kind that isn't supported.
 */
export function openSentencePieceTokenizer(files: TokenizerFiles): Tokenizer | undefined {
  const { config, sentencePieceModel } = files
  const name = slowName(config.tokenizer_class)
  const tokenizerClass = Object.hasOwn(sentencePieceClasses, name) ? sentencePieceClasses[name] : undefined
  if (tokenizerClass === undefined || sentencePieceModel === undefined) return undefined

  const path = join(files.dir, 'tokenizer.model')
  const rules = tokenizerClass.spaceRules(config)
  const vocabulary = readVocabulary(files, tokenizerClass, prefixed(parseSentencePieceModel(path, sentencePieceModel), rules))
  const { table, addedTokens } = vocabulary
  const tokenize = createTokenize(createPieceEncoder(path, vocabulary.model, table), vocabulary, rules)
  const addedIds = new Map(addedTokens.map(({ content, id }) => [content, id]))
  const addedContents = new Map(addedTokens.map(({ content, id }) => [id, content]))
  const special = (key: string): number | undefined => addedIds.get(vocabulary.specialTokens.byName.get(key) ?? '')
  const [leading, trailing] = [
    config.add_bos_token === false ? [] : listOf(special('bos_token')),
    config.add_eos_token === true ? listOf(special('eos_token')) : [],
  ]

  return {
    encode: (text) => [...leading, ...tokenize(text).map((token) => addedIds.get(token) ?? table.idOf(token)), ...trailing],
    decoder: () => createDecoder(vocabulary, tokenizerClass, rules),
    token: (id) => addedContents.get(id) ?? table.pieceOf(id)?.text,
    bosTokenId: special('bos_token'),
    cleansUp: tokenizerClass.cleansUp(config),
  }
}

const listOf = (id: number | undefined): readonly number[] => (id === undefined ? [] : [id])

/** The model, without its dummy prefix where the class adds one by itself. */
function prefixed(model: SentencePieceModel, { usesModelPrefix }: SpaceRules): SentencePieceModel {
  return usesModelPrefix ? model : { ...model, normaliser: { ...model.normaliser, addsDummyPrefix: false } }
}

function readVocabulary(files: TokenizerFiles, tokenizerClass: SentencePieceClass, model: SentencePieceModel): Vocabulary {
  const specialTokens = resolveSpecialTokens(files, tokenizerClass)
  const ids = new Map(model.pieces.map(({ text }, id) => [text, id]))
  return { model, table: createPieceTable(model), specialTokens, addedTokens: resolveAddedTokens(files, ids, specialTokens) }
}

/** Text to tokens: what the classes' `tokenize` and `_tokenize` do. */
function createTokenize(
  encode: PieceEncoder,
  { addedTokens, specialTokens }: Vocabulary,
  { usesModelPrefix, addsPrefix }: SpaceRules,
): (text: string) => readonly string[] {
  const split = createAddedTokenSplitter(addedTokens)
  const added = new Set(addedTokens.map(({ content }) => content))
  const encodeStretch = usesModelPrefix ? encode : withSpacesKept(encode, specialTokens.byName.get('unk_token') ?? '')
  const cut = (text: string): readonly string[] => split(text).flatMap((part) => (added.has(part) ? [part] : encodeStretch(part)))
  if (usesModelPrefix) return cut

  return (text) => {
    if (text === '') return []
    const tokens = cut((addsPrefix ? SPACE_SYMBOL : '') + text.replaceAll(SPACE_SYMBOL, ' '))
    const [first, second] = tokens
    return first === SPACE_SYMBOL && second !== undefined && specialTokens.contents.has(second) ? tokens.slice(1) : tokens
  }
}

/**
 * Encodes behind the unknown token, whose pieces are then dropped: SentencePiece may strip spaces at the very beginning.
 * Source: transformers 4.40.1 `tokenization_llama.py` (`_tokenize`).
 */
function withSpacesKept(encode: PieceEncoder, unknown: string): PieceEncoder {
  const unknownLength = encode(unknown).length
  return (text) => {
    if (!text.startsWith(SPACE_SYMBOL) && !text.startsWith(' ')) return encode(text)
    const tokens = encode(unknown + text)
    return tokens.length >= unknownLength ? tokens.slice(unknownLength) : tokens
  }
}

function createDecoder({ model, table, addedTokens }: Vocabulary, { separator }: SentencePieceClass, { dropsPrefix }: SpaceRules): TokenDecoder {
  const added = new Map(addedTokens.map((token) => [token.id, token]))
  const joiner = createRunJoiner(separator, () => {
    const run = createPieceDecoder(model, table)
    return dropsPrefix ? withoutFirstSpace(run) : run
  })
  return {
    push(id) {
      const addedToken = added.get(id)
      if (addedToken !== undefined) return addedToken.special ? '' : joiner.pushAdded(addedToken.content)
      const piece = table.pieceOf(id)
      return piece === undefined ? '' : joiner.push(piece.text)
    },
    finish: () => joiner.finish(),
  }
}

/** Takes one space from the run's first piece. */
function withoutFirstSpace(run: RunDecoder<string>): RunDecoder<string> {
  let isFirst = true
  return {
    push(piece) {
      const text = isFirst && piece.startsWith(SPACE_SYMBOL) ? piece.slice(SPACE_SYMBOL.length) : piece
      isFirst = false
      return run.push(text)
    },
    finish: () => run.finish(),
  }
}
