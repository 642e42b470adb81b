import { join } from 'node:path'
import { resolveSpecialTokens } from './added-tokens.js'
import { ARCADE_RANKS, parseArcadeRanks, rankedMerges } from './arcade-ranks.js'
import { byteLevelDecoder } from './byte-level-tokenizer.js'
import type { TokenizerFiles } from './files.js'
import { openLibrary } from './library.js'
import { byteLevelStages } from './slow-tokenizer.js'
import { QWEN2_PATTERN } from './tokenizer-class.js'
import type { Tokenizer } from './tokenizer.js'

/** The class's special tokens, in the order of their ids. The id between them and the ranks is no token's. */
const SPECIAL_TOKENS = [
  '<|endoftext|>', '<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>', '<|fim_pad|>',
  '<gh_stars>', '<filename>', '<issue_start>', '<issue_comment>', '<issue_closed>',
  '<jupyter_start>', '<jupyter_text>', '<jupyter_code>', '<jupyter_output>', '<empty_output>',
  '<commit_before>', '<commit_msg>', '<commit_after>', '<reponame>',
  '<|endofprompt|>', '<|im_start|>', '<|im_end|>', '<|pause|>',
  '<|reg0|>', '<|reg1|>', '<|reg2|>', '<|reg3|>', '<|reg4|>', '<|reg5|>', '<|reg6|>', '<|reg7|>', '<|extra0|>',
].map((content, index) => ({ id: ARCADE_RANKS + 1 + index, content, special: true }))

/**
 * Makes StableLM-2's first tokenizer, `Arcade100kTokenizer`, from `arcade100k.tiktoken`. The repository's code is not run: what
 * it does is here. Text is put in NFC and cut at the special tokens, which no file says; no BOS or EOS is added, nothing is
 * cleaned up, and special tokens leave bytes around them together when text is decoded.
 * Source: `tokenization_arcade100k.py` of stabilityai/stablelm-2-1_6b, early 2024.
 *
 * @returns undefined where the files aren't those of that class.
 * @throws {StreamError} `TOKENIZER_INVALID`; see `parseArcadeRanks`.
 */
export function openArcadeTokenizer(files: TokenizerFiles): Tokenizer | undefined {
  const { dir, config, arcadeRanks } = files
  if (config.tokenizer_class !== 'Arcade100kTokenizer' || arcadeRanks === undefined) return undefined
  const tokens = parseArcadeRanks(join(dir, 'arcade100k.tiktoken'), arcadeRanks)
  const library = openLibrary(dir, arcadeJson(tokens), config)
  const bosToken = resolveSpecialTokens(files, { specialTokens: {} }).byName.get('bos_token')
  return {
    encode: (text) => library.encode(text.normalize('NFC'), { add_special_tokens: false }).ids,
    decoder: byteLevelDecoder(library, SPECIAL_TOKENS, ''),
    token: (id) => library.id_to_token(id),
    bosTokenId: SPECIAL_TOKENS.find(({ content }) => content === bosToken)?.id,
    cleansUp: false,
  }
}

/** What `tokenizer.json` would hold. */
function arcadeJson(tokens: readonly string[]): Readonly<Record<string, unknown>> {
  const model = {
    type: 'BPE',
    vocab: Object.fromEntries(tokens.map((token, rank) => [token, rank])),
    merges: rankedMerges(tokens),
    // A word that is a token is taken as one, even where no pairs lead to it.
    ignore_merges: true,
    unk_token: null,
    byte_fallback: false,
  }
  // The class's pattern is the very one that Qwen2's has.
  return { ...byteLevelStages(QWEN2_PATTERN), added_tokens: SPECIAL_TOKENS, model }
}
