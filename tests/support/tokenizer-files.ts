import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const TOKENIZER_FILE = /^(vocab\.json|merges\.txt|tokenizer\.(json|model)|.*tokenizer_config\.json|added_tokens\.json|special_tokens_map\.json|arcade100k\.tiktoken)$/

/**
 * Copies the files of a reference tokenizer. An `arcade100k.tiktoken` is completed, as `tests/reference/goldens/arcade_table.py`
 * does it for the original class: it is kept without the tokens that no text has.
 */
export function copyTokenizer(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const file of readdirSync(from).filter((name) => TOKENIZER_FILE.test(name))) copyFileSync(join(from, file), join(to, file))
  const ranks = join(to, 'arcade100k.tiktoken')
  if (existsSync(ranks)) appendFileSync(ranks, fillingRanks(readFileSync(ranks, 'utf8').trimEnd().split('\n').length))
}

/** Lines of ranks `from` to 100,255: 0xFF twice, which no UTF-8 has, and the rank in three bytes. */
function fillingRanks(from: number): string {
  return Array.from({ length: 100_256 - from }, (_, index) => {
    const rank = from + index
    const token = Buffer.of(0xff, 0xff, rank >> 16, (rank >> 8) & 0xff, rank & 0xff)
    return `${token.toString('base64')} ${rank}\n`
  }).join('')
}
