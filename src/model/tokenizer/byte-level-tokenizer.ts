import type { AddedToken } from './added-tokens.js'
import { tokenBytes } from './byte-level.js'
import type { TokenizerFiles } from './files.js'
import { type LibraryTokenizer, openLibrary } from './library.js'
import { type RunDecoder, createRunJoiner } from './run-joiner.js'
import { buildSlowTokenizer } from './slow-tokenizer.js'
import type { TokenDecoder, Tokenizer } from './tokenizer.js'

/**
 * Makes a byte-level tokenizer (GPT-2's, CodeGen's, Qwen2's class) from the slow class's files.
 *
 * @returns undefined where the files aren't those of such a class.
 * @throws {StreamError} `TOKENIZER_INVALID`.
 */
export function openByteLevelTokenizer(files: TokenizerFiles): Tokenizer | undefined {
  const slow = buildSlowTokenizer(files)
  if (slow === undefined) return undefined
  const { tokenizerClass, bosToken } = slow
  const library = openLibrary(files.dir, slow.json, files.config)
  const bosTokenId = bosToken === undefined ? undefined : library.token_to_id(bosToken)
  const leading = files.config.add_bos_token === true && bosTokenId !== undefined ? [bosTokenId] : []
  // Qwen2's class ignores the setting.
  const prefix = files.config.add_prefix_space === true && !tokenizerClass.usesNfc ? ' ' : ''

  return {
    encode(text) {
      const prepared = prefix + (tokenizerClass.usesNfc ? text.normalize('NFC') : text)
      const { ids } = library.encode(prepared, { add_special_tokens: false })
      return [...leading, ...ids]
    },
    decoder: byteLevelDecoder(library, slow.addedTokens, tokenizerClass.spacesBetweenAdded ? ' ' : ''),
    token: (id) => library.id_to_token(id),
    bosTokenId,
    cleansUp: files.config.clean_up_tokenization_spaces ?? tokenizerClass.cleansUpByDefault,
  }
}

/**
 * Decoders of tokens in GPT-2's alphabet.
 *
 * @param separator Between text and added tokens.
 */
export function byteLevelDecoder(
  library: LibraryTokenizer,
  addedTokens: readonly Pick<AddedToken, 'id' | 'content' | 'special'>[],
  separator: string,
): () => TokenDecoder {
  const added = new Map(addedTokens.map((token) => [token.id, token]))
  return () => {
    const joiner = createRunJoiner(separator, createUtf8Run)
    return {
      push(id) {
        const addedToken = added.get(id)
        if (addedToken !== undefined) return addedToken.special ? '' : joiner.pushAdded(addedToken.content)
        const token = library.id_to_token(id)
        if (token === undefined) return ''
        const bytes = tokenBytes(token)
        return bytes === undefined ? joiner.pushAdded(token) : joiner.push(bytes)
      },
      finish: () => joiner.finish(),
    }
  }
}

/** Decodes bytes as Python's `bytes.decode('utf-8', errors='replace')` does. */
function createUtf8Run(): RunDecoder<Uint8Array> {
  // `ignoreBOM` keeps a U+FEFF in the text, as Python does.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    push: (bytes) => decoder.decode(bytes, { stream: true }),
    finish: () => decoder.decode(),
  }
}
