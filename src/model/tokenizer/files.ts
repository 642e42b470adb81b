import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { StreamError } from '../../errors.js'

/** A special token: its text, or a serialised `AddedToken`; null where the tokenizer has none. */
const specialToken = z.union([z.string(), z.object({ content: z.string() }).transform((token) => token.content), z.null()])

const tokenFlags = z.object({
  content: z.string(),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  single_word: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
})

const specialTokensMap = z.object({
  bos_token: specialToken.optional(),
  eos_token: specialToken.optional(),
  unk_token: specialToken.optional(),
  sep_token: specialToken.optional(),
  pad_token: specialToken.optional(),
  cls_token: specialToken.optional(),
  mask_token: specialToken.optional(),
  additional_special_tokens: z.array(specialToken).nullish(),
})

const tokenizerConfig = specialTokensMap.extend({
  tokenizer_class: z.string().optional(),
  add_bos_token: z.boolean().optional(),
  add_eos_token: z.boolean().optional(),
  add_prefix_space: z.boolean().optional(),
  legacy: z.boolean().nullish(),
  clean_up_tokenization_spaces: z.boolean().nullish(),
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), tokenFlags).optional(),
})

const vocabulary = z.record(z.string(), z.int().min(0))

/** The part of a `tokenizer.json` read here; the rest is passed on as it is. */
const tokenizerJson = z.looseObject({
  added_tokens: z.array(tokenFlags.extend({ id: z.int().min(0) })).default([]),
  model: z.looseObject({ type: z.string().optional() }),
  decoder: z.looseObject({ type: z.string() }).nullish(),
})

/** Names of special tokens, in the order transformers goes through them. */
export const SPECIAL_TOKEN_NAMES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const

/** `special_tokens_map.json`. */
export type SpecialTokensMap = z.infer<typeof specialTokensMap>
/** `tokenizer_config.json`. */
export type TokenizerConfig = z.infer<typeof tokenizerConfig>
/** `tokenizer.json`, as the `tokenizers` library writes it. */
export type TokenizerJson = z.infer<typeof tokenizerJson>

/** The tokenizer's files in a checkpoint or bundle, those that are there. */
export interface TokenizerFiles {
  readonly dir: string
  readonly config: TokenizerConfig
  readonly tokenizerJson: TokenizerJson | undefined
  /** `vocab.json`: ids by token. */
  readonly vocabulary: Readonly<Record<string, number>> | undefined
  /** `merges.txt`, as it is. */
  readonly merges: string | undefined
  /** `tokenizer.model`, as it is. */
  readonly sentencePieceModel: Uint8Array | undefined
  /** `arcade100k.tiktoken`, as it is. */
  readonly arcadeRanks: string | undefined
  /** `added_tokens.json`: ids by token. */
  readonly addedTokens: Readonly<Record<string, number>> | undefined
  readonly specialTokensMap: SpecialTokensMap | undefined
}

/**
 * Reads a tokenizer's files and checks each one's shape.
 *
 * @throws {StreamError} `TOKENIZER_INVALID`, naming the file and the field.
 */
export async function readTokenizerFiles(dir: string): Promise<TokenizerFiles> {
  const [config, json, vocab, merges, model, ranks, addedTokens, specials] = await Promise.all([
    readJson(dir, 'tokenizer_config.json', tokenizerConfig),
    readJson(dir, 'tokenizer.json', tokenizerJson),
    readJson(dir, 'vocab.json', vocabulary),
    readBytes(dir, 'merges.txt'),
    readBytes(dir, 'tokenizer.model'),
    readBytes(dir, 'arcade100k.tiktoken'),
    readJson(dir, 'added_tokens.json', vocabulary),
    readJson(dir, 'special_tokens_map.json', specialTokensMap),
  ])
  return {
    dir,
    config: config ?? {},
    tokenizerJson: json,
    vocabulary: vocab,
    merges: merges?.toString('utf8'),
    sentencePieceModel: model,
    arcadeRanks: ranks?.toString('utf8'),
    addedTokens,
    specialTokensMap: specials,
  }
}

async function readBytes(dir: string, file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(dir, file))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new StreamError('TOKENIZER_INVALID', `Can't read \`${join(dir, file)}\`.`, { cause: error })
  }
}

async function readJson<Value>(dir: string, file: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
  const bytes = await readBytes(dir, file)
  if (bytes === undefined) return undefined
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new StreamError('TOKENIZER_INVALID', `\`${join(dir, file)}\` is not valid JSON.`, { cause: error })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue === undefined ? '' : ` at \`${issue.path.join('.')}\`: ${issue.message}`
  throw new StreamError('TOKENIZER_INVALID', `\`${join(dir, file)}\` is not a tokenizer file${field}.`)
}
