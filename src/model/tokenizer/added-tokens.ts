import { SPECIAL_TOKEN_NAMES, type SpecialTokensMap, type TokenizerFiles } from './files.js'

/** A token that is cut out of text before BPE, in the form `tokenizer.json` has it. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Whether it takes the white space on its left. */
  readonly lstrip: boolean
  /** Whether it takes the white space on its right. */
  readonly rstrip: boolean
  readonly single_word: boolean
  readonly normalized: boolean
  /** Whether decoding leaves it out. */
  readonly special: boolean
}

/** A special token's content by its name (`eos_token`, …), and the additional ones. */
export interface SpecialTokens {
  readonly byName: ReadonlyMap<string, string>
  readonly contents: ReadonlySet<string>
}

/** Special tokens as the class sets them, overridden by the config, overridden by a legacy token map. */
export function resolveSpecialTokens(
  files: TokenizerFiles,
  tokenizerClass: { readonly specialTokens: Readonly<Record<string, string>> },
): SpecialTokens {
  // transformers reads special_tokens_map.json only where the config holds no added tokens.
  const legacy: SpecialTokensMap = files.config.added_tokens_decoder === undefined ? (files.specialTokensMap ?? {}) : {}
  const byName = new Map<string, string>()
  for (const name of SPECIAL_TOKEN_NAMES) {
    const layers = [legacy[name], files.config[name], tokenizerClass.specialTokens[name]]
    const content = layers.find((layer) => layer !== undefined)
    if (typeof content === 'string') byName.set(name, content)
  }
  const additional = [
    ...(files.config.additional_special_tokens ?? []),
    ...(legacy.additional_special_tokens ?? []),
  ].filter((content) => content !== null)
  return { byName, contents: new Set([...byName.values(), ...additional]) }
}

/**
 * The tokens added to a slow tokenizer's vocabulary, as transformers 4.40.1 gathers them
 * (`tokenization_utils_base.py` `_from_pretrained`, `tokenization_utils.py` `_add_tokens`): from the config,
 * or else from `added_tokens.json`; then each special token that is missing, with its own id where the
 * vocabulary has it, else with the next free one.
 *
 * `special` is true for the named and additional special tokens only, whatever the token's own flag says:
 * that is what the slow tokenizer's decoding leaves out.
 */
export function resolveAddedTokens(
  files: TokenizerFiles,
  vocabulary: ReadonlyMap<string, number>,
  specialTokens: SpecialTokens,
): readonly AddedToken[] {
  const added = new Map<string, AddedToken>()
  for (const token of declaredTokens(files)) {
    added.set(token.content, { ...token, special: specialTokens.contents.has(token.content) })
  }
  const known = new Set([...vocabulary.keys(), ...added.keys()])
  for (const content of specialTokens.contents) {
    if (added.has(content)) continue
    const id = vocabulary.get(content) ?? known.size
    known.add(content)
    added.set(content, { ...plainToken(id, content), special: true })
  }
  return [...added.values()].sort((a, b) => a.id - b.id)
}

function declaredTokens(files: TokenizerFiles): readonly AddedToken[] {
  const { added_tokens_decoder: declared } = files.config
  if (declared === undefined) {
    return Object.entries(files.addedTokens ?? {}).map(([content, id]) => plainToken(id, content))
  }
  // The slow tokenizer puts the whole text in normal form before it looks for tokens, so the flag means nothing.
  return Object.entries(declared).map(([id, token]) => ({ ...token, id: Number(id), normalized: false }))
}

function plainToken(id: number, content: string): AddedToken {
  return { id, content, lstrip: false, rstrip: false, single_word: false, normalized: false, special: false }
}
