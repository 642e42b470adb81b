import * as library from '@huggingface/tokenizers'
import { StreamError } from '../../errors.js'

/** The few methods of `@huggingface/tokenizers` 0.2 that are used here. */
export interface LibraryTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { readonly ids: number[] }
  token_to_id(token: string): number | undefined
  id_to_token(id: number): string | undefined
}

type LibraryConstructor = new (tokenizerJson: object, tokenizerConfig: object) => LibraryTokenizer

/**
 * The library's tokenizer class, typed here: its own declarations import each other without file
 * extensions, which resolves to nothing under `moduleResolution: NodeNext`.
 */
const { Tokenizer } = library as unknown as { readonly Tokenizer: LibraryConstructor }

/**
 * Builds a tokenizer from what `tokenizer.json` and `tokenizer_config.json` hold.
 *
 * @param dir For messages.
 * @throws {StreamError} `TOKENIZER_INVALID` where the library can't.
 */
export function openLibrary(dir: string, json: object, config: object): LibraryTokenizer {
  try {
    return new Tokenizer(json, config)
  } catch (error) {
    throw new StreamError('TOKENIZER_INVALID', `The tokenizer in \`${dir}\` can't be built.`, { cause: error })
  }
}
