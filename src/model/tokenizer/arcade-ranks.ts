import { StreamError } from '../../errors.js'
import { BYTE_CHARACTERS } from './byte-level.js'

/** Tokens of every `arcade100k.tiktoken`: fewer are a file that was cut, and text would then fall into other tokens in silence. */
export const ARCADE_RANKS = 100_256

/**
 * Reads a vocabulary in tiktoken's format: a token a line, its bytes in base64, a space and its rank, which is its id and says
 * how early it is put together. Source: tiktoken `load.py` (`load_tiktoken_bpe`).
 *
 * @param path For messages.
 * @returns The tokens in GPT-2's alphabet, by rank.
 * @throws {StreamError} `TOKENIZER_INVALID` where a line is something else, where a rank is missing, comes twice or is too high, and
 *   where a token comes twice or a byte has none.
 */
export function parseArcadeRanks(path: string, text: string): readonly string[] {
  const byRank = new Map<number, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue
    const ranked = parseLine(line)
    if (ranked === undefined) throw invalid(`Line ${index + 1} of \`${path}\` is not a token in base64 and its rank.`)
    const { token, rank } = ranked
    if (byRank.has(rank) || rank >= ARCADE_RANKS) throw invalid(`Line ${index + 1} of \`${path}\` has rank ${rank}, which is taken or too high.`)
    byRank.set(rank, token)
  }
  const tokens = Array.from({ length: ARCADE_RANKS }, (_, rank) => byRank.get(rank) ?? missing(path, rank))
  checkTokens(path, tokens)
  return tokens
}

function checkTokens(path: string, tokens: readonly string[]): void {
  const known = new Set(tokens)
  if (known.size < tokens.length) throw invalid(`\`${path}\` has a token twice.`)
  const byte = BYTE_CHARACTERS.findIndex((character) => !known.has(character))
  if (byte !== -1) throw invalid(`\`${path}\` lacks the byte ${byte}: some texts would have no tokens.`)
}

function parseLine(line: string): { readonly token: string; readonly rank: number } | undefined {
  const [base64 = '', rank = '', ...rest] = line.split(' ')
  const bytes = Buffer.from(base64, 'base64')
  // Node passes over what isn't base64, so only what comes out the same again was.
  if (bytes.length === 0 || bytes.toString('base64') !== base64 || !/^\d+$/.test(rank) || rest.length > 0) return undefined
  return { token: bytes.reduce((token, byte) => token + (BYTE_CHARACTERS[byte] ?? ''), ''), rank: Number(rank) }
}

function missing(path: string, rank: number): never {
  throw invalid(`\`${path}\` has no token of rank ${rank}: its ranks go from 0 to ${ARCADE_RANKS - 1}.`)
}

function invalid(what: string): StreamError {
  return new StreamError('TOKENIZER_INVALID', `${what} Fetch the file again.`)
}

/**
 * The pairs of tokens that are put together, earliest first: all that make a token. BPE by them gives what tiktoken's does,
 * which looks for the pair whose bytes together have the lowest rank. Source: transformers `convert_slow_tokenizer.py`
 * (`TikTokenConverter`).
 *
 * @param tokens By rank.
 */
export function rankedMerges(tokens: readonly string[]): readonly (readonly [string, string])[] {
  const known = new Set(tokens)
  const merges: (readonly [string, string])[] = []
  for (const token of tokens) {
    for (let at = 1; at < token.length; at += 1) {
      const [left, right] = [token.slice(0, at), token.slice(at)]
      if (known.has(left) && known.has(right)) merges.push([left, right])
    }
  }
  return merges
}
