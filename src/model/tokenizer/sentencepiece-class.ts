import type { TokenizerConfig } from './files.js'

/** What a SentencePiece tokenizer class of transformers fixes in its code. */
export interface SentencePieceClass {
  /** Special tokens where the config doesn't say. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** Between decoded text and added tokens. */
  readonly separator: string
  /** How spaces in front of a text are handled; see `SpaceRules`. */
  readonly spaceRules: (config: TokenizerConfig) => SpaceRules
  /** Whether spaces before punctuation are removed when text is decoded. */
  readonly cleansUp: (config: TokenizerConfig) => boolean
}

/** Who puts a space in front of text, and takes it away from decoded text. */
export interface SpaceRules {
  /** Whether the model's own dummy prefix is left to it: it then comes after each added token, too. */
  readonly usesModelPrefix: boolean
  /** Whether the class puts a space in front of the whole text by itself. */
  readonly addsPrefix: boolean
  /** Whether the class takes one space away from the beginning of decoded text, beside those the model takes. */
  readonly dropsPrefix: boolean
}

/** `legacy` in the config says whether added tokens are followed by a dummy prefix, as before transformers 4.31; it is the default. */
const llama: SentencePieceClass = {
  specialTokens: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' },
  // The class's own default of `spaces_between_special_tokens` never reaches its decoding.
  separator: ' ',
  spaceRules({ legacy, add_prefix_space: addsPrefixSpace = true }) {
    const isLegacy = legacy ?? true
    return { usesModelPrefix: isLegacy, addsPrefix: !isLegacy && addsPrefixSpace, dropsPrefix: addsPrefixSpace }
  },
  cleansUp: ({ clean_up_tokenization_spaces: cleansUp }) => cleansUp ?? false,
}

const gemma: SentencePieceClass = {
  specialTokens: { bos_token: '<bos>', eos_token: '<eos>', unk_token: '<unk>', pad_token: '<pad>' },
  separator: '',
  spaceRules: () => ({ usesModelPrefix: true, addsPrefix: false, dropsPrefix: false }),
  // Its decoding passes the setting over.
  cleansUp: () => false,
}

/**
 * SentencePiece classes by their name in `tokenizer_config.json`, without a closing `Fast`: the reference always loads the slow
 * class. Source: transformers 4.40.1 `tokenization_{llama,gemma}.py`.
 */
export const sentencePieceClasses: Readonly<Record<string, SentencePieceClass>> = {
  GemmaTokenizer: gemma,
  LlamaTokenizer: llama,
}
