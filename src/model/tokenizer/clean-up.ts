/**
 * Replacements of transformers' `clean_up_tokenization`, in its order, each over the whole text.
 * Source: transformers 4.40.1 `tokenization_utils_base.py`.
 */
const REPLACEMENTS = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const

/** Removes spaces before punctuation and English contractions, as transformers does after decoding. */
export function cleanUp(text: string): string {
  return REPLACEMENTS.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text)
}

/** A character that is in no replacement. */
const BARRIER = /[^ .?!,'ntmsvre]/g

/**
 * Length of the longest prefix of `text` whose clean-up can't change whatever text follows it.
 *
 * No replacement reaches over a barrier, so the text up to the last barrier is cleaned for good; and only
 * spaces are ever removed, so what follows the barrier is safe up to its first space.
 */
export function settledLength(text: string): number {
  let barrierEnd = 0
  for (const barrier of text.matchAll(BARRIER)) barrierEnd = barrier.index + 1
  const space = text.indexOf(' ', barrierEnd)
  return space === -1 ? text.length : space
}
