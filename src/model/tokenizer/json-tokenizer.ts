import { StreamError } from '../../errors.js'
import { byteLevelDecoder } from './byte-level-tokenizer.js'
import { type DecoderStep, createChainRun, readDecoderChain } from './decoder-chain.js'
import type { TokenizerFiles, TokenizerJson } from './files.js'
import { type LibraryTokenizer, openLibrary } from './library.js'
import { findTokenizerClass } from './slow-tokenizer.js'
import type { TokenDecoder, Tokenizer } from './tokenizer.js'

/**
 * Makes a tokenizer from `tokenizer.json`: byte-level, or SentencePiece's BPE with byte fallback as `tokenizers` writes it.
 *
 * @returns undefined where there is no such file.
 * @throws {StreamError} `TOKENIZER_INVALID` where it can't be built, or is decoded in a way that isn't supported.
 */
export function openJsonTokenizer({ dir, config, tokenizerJson: json }: TokenizerFiles): Tokenizer | undefined {
  if (json === undefined) return undefined
  const decode = decoderOf(dir, json)
  const library = openLibrary(dir, json, config)
  const bos = config.bos_token ?? undefined
  return {
    encode: (text) => library.encode(text).ids,
    decoder: decode(library),
    token: (id) => library.id_to_token(id),
    bosTokenId: bos === undefined ? undefined : library.token_to_id(bos),
    cleansUp: config.clean_up_tokenization_spaces ?? findTokenizerClass(config.tokenizer_class)?.cleansUpByDefault ?? true,
  }
}

function decoderOf(dir: string, json: TokenizerJson): (library: LibraryTokenizer) => () => TokenDecoder {
  const { decoder, added_tokens: addedTokens } = json
  if (decoder?.type === 'ByteLevel') return (library) => byteLevelDecoder(library, addedTokens, '')
  const chain = readDecoderChain(decoder)
  if (chain !== undefined) return (library) => () => chainDecoder(library, addedTokens, chain)
  throw new StreamError(
    'TOKENIZER_INVALID',
    `The tokenizer in \`${dir}\` decodes by \`${decoder?.type ?? 'nothing'}\`; supported are \`ByteLevel\`, and a \`Sequence\` of ` +
      '`Replace`, `ByteFallback`, `Fuse` and a `Strip` of the beginning.',
  )
}

/** All tokens that aren't special make one run: added ones go through the steps, too. */
function chainDecoder(library: LibraryTokenizer, addedTokens: TokenizerJson['added_tokens'], chain: readonly DecoderStep[]): TokenDecoder {
  const special = new Set(addedTokens.filter((token) => token.special).map(({ id }) => id))
  const run = createChainRun(chain)
  return {
    push(id) {
      const token = special.has(id) ? undefined : library.id_to_token(id)
      return token === undefined ? '' : run.push(token)
    },
    finish: () => run.finish(),
  }
}
