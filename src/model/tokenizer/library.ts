import * as library from '@huggingface/tokenizers'

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
export const { Tokenizer: LibraryTokenizer } = library as unknown as { readonly Tokenizer: LibraryConstructor }
