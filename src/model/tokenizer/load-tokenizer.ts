import { StreamError } from '../../errors.js'
import { openArcadeTokenizer } from './arcade-tokenizer.js'
import { openByteLevelTokenizer } from './byte-level-tokenizer.js'
import { type TokenizerFiles, readTokenizerFiles } from './files.js'
import { openJsonTokenizer } from './json-tokenizer.js'
import { openSentencePieceTokenizer } from './sentencepiece-tokenizer.js'
import type { Tokenizer } from './tokenizer.js'

/**
 * Loads the tokenizer of a checkpoint or bundle.
 *
 * The slow tokenizer's files come first, since the reference loads the slow class (`use_fast=False`): `vocab.json`, `merges.txt`
 * and added tokens of a byte-level class, `tokenizer.model` of a SentencePiece class, or `arcade100k.tiktoken` of StableLM-2's.
 * A `tokenizer.json` is taken where they are missing.
 *
 * @throws {StreamError} `TOKENIZER_INVALID` where a file is missing, malformed or of an unknown kind.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const files = await readTokenizerFiles(dir)
  const tokenizer =
    openByteLevelTokenizer(files) ?? openSentencePieceTokenizer(files) ?? openArcadeTokenizer(files) ?? openJsonTokenizer(files)
  if (tokenizer === undefined) throw missingFiles(files)
  return tokenizer
}

function missingFiles({ dir, config }: TokenizerFiles): StreamError {
  return new StreamError(
    'TOKENIZER_INVALID',
    `No tokenizer found in \`${dir}\`: expected \`vocab.json\` and \`merges.txt\` of a byte-level class, \`tokenizer.model\` of a ` +
      'SentencePiece class, `arcade100k.tiktoken` of `Arcade100kTokenizer` ' +
      `(tokenizer_class is \`${config.tokenizer_class ?? 'none'}\`), or \`tokenizer.json\`.`,
  )
}
