/** What a tokenizer class of transformers fixes in its code, so that no file says it. */
export interface TokenizerClass {
  /** Oniguruma-style pattern that cuts text into words before BPE. */
  readonly pattern: string
  /** Whether text is put in Unicode's NFC form first. */
  readonly usesNfc: boolean
  /** Whether decoded text between added tokens is joined by spaces (`spaces_between_special_tokens`). */
  readonly spacesBetweenAdded: boolean
  /** `clean_up_tokenization_spaces` where the config doesn't say. */
  readonly cleansUpByDefault: boolean
  /** Special tokens where the config doesn't say. */
  readonly specialTokens: Readonly<Record<string, string>>
}

const END_OF_TEXT = '<|endoftext|>'

/** Also GPT-2's, whose class differs from CodeGen's in nothing that matters here. */
const codeGen: TokenizerClass = {
  pattern: String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  usesNfc: false,
  spacesBetweenAdded: true,
  cleansUpByDefault: true,
  specialTokens: { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT },
}

/**
 * Qwen2's and Arcade100k's pattern. Its `(?i:'s|'t|…)` is spelled out: JavaScript has no inline flags before Node 23, and
 * Python's `regex` also folds U+017F (long s) to `s`, as Rust's does.
 */
export const QWEN2_PATTERN =
  String.raw`'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|` +
  String.raw`[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

const qwen2: TokenizerClass = {
  pattern: QWEN2_PATTERN,
  usesNfc: true,
  spacesBetweenAdded: false,
  cleansUpByDefault: false,
  specialTokens: { eos_token: END_OF_TEXT, unk_token: END_OF_TEXT, pad_token: END_OF_TEXT },
}

/**
 * Byte-level classes by their name in `tokenizer_config.json`, without a closing `Fast`: the reference
 * always loads the slow class. Source: transformers 4.40.1 `tokenization_{qwen2,codegen,gpt2}.py`.
 */
export const tokenizerClasses: Readonly<Record<string, TokenizerClass>> = {
  CodeGenTokenizer: codeGen,
  GPT2Tokenizer: codeGen,
  Qwen2Tokenizer: qwen2,
}

/** A class's name without the `Fast` of its other form; empty where there is none. */
export function slowName(name: string | undefined): string {
  return name?.replace(/Fast$/, '') ?? ''
}
