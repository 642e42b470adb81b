import { StreamError } from '../../errors.js'
import type { AddedToken } from './added-tokens.js'
import { tokenBytes } from './byte-level.js'
import { type TokenizerFiles, readTokenizerFiles } from './files.js'
import { LibraryTokenizer } from './library.js'
import { buildSlowTokenizer, findTokenizerClass } from './slow-tokenizer.js'

/** What one token stands for in decoded text. */
export type TokenPiece =
  /** Bytes of UTF-8; a character may be spread over several tokens. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** An added token that is shown as it is. */
  | { readonly kind: 'added'; readonly text: string }
  /** A special token, or an id without a token: nothing. */
  | { readonly kind: 'none' }

/** Text to token ids, and token ids to pieces of text. */
export interface Tokenizer {
  /** Ids of a text, with a BOS in front where the tokenizer adds one. */
  encode(text: string): readonly number[]
  /** What a token stands for; special tokens stand for nothing. */
  piece(id: number): TokenPiece
  /** Id of the token that begins a text, where there is one. */
  readonly bosTokenId: number | undefined
  /** Whether text and added tokens are joined by spaces when they are decoded. */
  readonly spacesBetweenAdded: boolean
  /** Whether spaces before punctuation are removed when text is decoded. */
  readonly cleansUp: boolean
}

const NOTHING: TokenPiece = { kind: 'none' }

/**
 * Loads the tokenizer of a checkpoint or bundle.
 *
 * The slow tokenizer's files (`vocab.json`, `merges.txt`, added tokens) come first, since the reference loads
 * the slow class (`use_fast=False`); a `tokenizer.json` is taken where they are missing.
 *
 * @throws {StreamError} `TOKENIZER_INVALID` where a file is missing, malformed or of an unknown kind.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const files = await readTokenizerFiles(dir)
  return fromSlowFiles(files) ?? fromTokenizerJson(files)
}

function fromSlowFiles(files: TokenizerFiles): Tokenizer | undefined {
  const slow = buildSlowTokenizer(files)
  if (slow === undefined) return undefined
  const { tokenizerClass, bosToken } = slow
  const library = openLibrary(files, slow.json)
  const bosTokenId = bosToken === undefined ? undefined : library.token_to_id(bosToken)
  const leading = files.config.add_bos_token === true && bosTokenId !== undefined ? [bosTokenId] : []
  // Qwen2's class ignores the setting.
  const prefix = files.config.add_prefix_space === true && !tokenizerClass.usesNfc ? ' ' : ''

  return {
    encode(text) {
      const prepared = prefix + (tokenizerClass.usesNfc ? text.normalize('NFC') : text)
      return [...leading, ...library.encode(prepared, { add_special_tokens: false }).ids]
    },
    piece: pieceReader(library, slow.addedTokens),
    bosTokenId,
    spacesBetweenAdded: tokenizerClass.spacesBetweenAdded,
    cleansUp: files.config.clean_up_tokenization_spaces ?? tokenizerClass.cleansUpByDefault,
  }
}

function fromTokenizerJson(files: TokenizerFiles): Tokenizer {
  const { tokenizerJson: json, config } = files
  if (json === undefined) throw missingFiles(files)
  if (json.decoder?.type !== 'ByteLevel') {
    throw new StreamError(
      'TOKENIZER_INVALID',
      `The tokenizer in \`${files.dir}\` decodes by \`${json.decoder?.type ?? 'nothing'}\`; only byte-level tokenizers are supported.`,
    )
  }
  const library = openLibrary(files, json)
  const bos = config.bos_token ?? undefined

  return {
    encode: (text) => library.encode(text).ids,
    piece: pieceReader(library, json.added_tokens),
    bosTokenId: bos === undefined ? undefined : library.token_to_id(bos),
    spacesBetweenAdded: false,
    cleansUp: config.clean_up_tokenization_spaces ?? findTokenizerClass(config.tokenizer_class)?.cleansUpByDefault ?? true,
  }
}

function openLibrary(files: TokenizerFiles, json: Readonly<Record<string, unknown>>): LibraryTokenizer {
  try {
    return new LibraryTokenizer(json, files.config)
  } catch (error) {
    throw new StreamError('TOKENIZER_INVALID', `The tokenizer in \`${files.dir}\` can't be built.`, { cause: error })
  }
}

function pieceReader(
  library: LibraryTokenizer,
  addedTokens: readonly Pick<AddedToken, 'id' | 'content' | 'special'>[],
): (id: number) => TokenPiece {
  const added = new Map(addedTokens.map((token) => [token.id, token]))
  return (id) => {
    const addedToken = added.get(id)
    if (addedToken !== undefined) return addedToken.special ? NOTHING : { kind: 'added', text: addedToken.content }
    // Embedding tables are often padded beyond the vocabulary; a model can, in theory, choose such an id.
    const token = library.id_to_token(id)
    if (token === undefined) return NOTHING
    const bytes = tokenBytes(token)
    return bytes === undefined ? { kind: 'added', text: token } : { kind: 'bytes', bytes }
  }
}

function missingFiles(files: TokenizerFiles): StreamError {
  const name = files.config.tokenizer_class ?? 'none'
  return new StreamError(
    'TOKENIZER_INVALID',
    `No tokenizer found in \`${files.dir}\`: expected \`vocab.json\` and \`merges.txt\` of a byte-level class ` +
      `(tokenizer_class is \`${name}\`), or \`tokenizer.json\`.`,
  )
}
