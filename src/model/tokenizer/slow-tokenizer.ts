import { join } from 'node:path'
import { StreamError } from '../../errors.js'
import { type AddedToken, resolveAddedTokens, resolveSpecialTokens } from './added-tokens.js'
import { BYTE_CHARACTERS } from './byte-level.js'
import type { TokenizerFiles } from './files.js'
import { type TokenizerClass, slowName, tokenizerClasses } from './tokenizer-class.js'

/** A slow tokenizer, rebuilt from its files. */
export interface SlowTokenizer {
  readonly tokenizerClass: TokenizerClass
  /** What `tokenizer.json` would hold. */
  readonly json: Readonly<Record<string, unknown>>
  readonly addedTokens: readonly AddedToken[]
  readonly bosToken: string | undefined
}

/** The class a config names, without the `Fast` of its other form; undefined where it isn't one we know. */
export function findTokenizerClass(name: string | undefined): TokenizerClass | undefined {
  const slow = slowName(name)
  return Object.hasOwn(tokenizerClasses, slow) ? tokenizerClasses[slow] : undefined
}

/**
 * Builds the object `@huggingface/tokenizers` reads from `vocab.json`, `merges.txt` and the added tokens.
 *
 * NFC is not in it: the slow tokenizer normalises the whole text before it looks for added tokens, the
 * library only the text between them.
 *
 * @returns undefined where the files aren't those of a slow tokenizer of a known class.
 * @throws {StreamError} `TOKENIZER_INVALID` where the vocabulary lacks a byte and has no unknown token.
 */
export function buildSlowTokenizer(files: TokenizerFiles): SlowTokenizer | undefined {
  const { vocabulary, merges } = files
  const tokenizerClass = findTokenizerClass(files.config.tokenizer_class)
  if (tokenizerClass === undefined || vocabulary === undefined || merges === undefined) return undefined

  const specialTokens = resolveSpecialTokens(files, tokenizerClass)
  const addedTokens = resolveAddedTokens(files, new Map(Object.entries(vocabulary)), specialTokens)
  const unknown = specialTokens.byName.get('unk_token')
  const unknownInVocabulary = unknown !== undefined && Object.hasOwn(vocabulary, unknown) ? unknown : null
  if (unknownInVocabulary === null) checkBytes(files.dir, vocabulary)

  const model = {
    type: 'BPE',
    vocab: vocabulary,
    merges: parseMerges(files.dir, merges),
    unk_token: unknownInVocabulary,
    byte_fallback: false,
  }
  return {
    tokenizerClass,
    json: { ...byteLevelStages(tokenizerClass.pattern), added_tokens: addedTokens, model },
    addedTokens,
    bosToken: specialTokens.byName.get('bos_token'),
  }
}

/** The stages of `tokenizer.json` around a byte-level model, whose words are cut by `pattern`. */
export function byteLevelStages(pattern: string): Readonly<Record<string, unknown>> {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }
  const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }
  return {
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel] },
    post_processor: null,
    decoder: byteLevel,
  }
}

/** Reads `merges.txt`: one pair a line, best first, after an optional `#version` line. */
function parseMerges(dir: string, text: string): readonly (readonly [string, string])[] {
  const lines = text.split(/\r?\n/)
  const pairs = lines[0]?.startsWith('#version') === true ? lines.slice(1) : lines
  return pairs
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const [left, right, ...rest] = line.trim().split(' ')
      if (left !== undefined && right !== undefined && rest.length === 0) return [left, right] as const
      throw new StreamError('TOKENIZER_INVALID', `Merge ${index + 1} of \`${join(dir, 'merges.txt')}\` is not a pair.`)
    })
}

function checkBytes(dir: string, vocabulary: Readonly<Record<string, number>>): void {
  const missing = BYTE_CHARACTERS.filter((character) => !Object.hasOwn(vocabulary, character))
  if (missing.length === 0) return
  throw new StreamError(
    'TOKENIZER_INVALID',
    `\`${join(dir, 'vocab.json')}\` lacks ${missing.length} of the 256 bytes and there is no unknown token to stand for them.`,
  )
}
