import type { AddedToken } from './added-tokens.js'
import { pythonStripEnd, pythonStripStart } from './python-strip.js'

/** Cuts text at its added tokens: stretches between them and the tokens' own texts, in order, none of them empty. */
export type AddedTokenSplitter = (text: string) => readonly string[]

/**
 * Makes a splitter that does what the slow tokenizers do before anything else: of the tokens that begin leftmost the longest is cut
 * out; it takes white space beside it, or lets itself be taken by a word, as it says. Source: transformers 4.40.1
 * `tokenization_utils.py` (`Trie.split`, `tokenize`).
 */
export function createAddedTokenSplitter(tokens: readonly AddedToken[]): AddedTokenSplitter {
  const contents = tokens.map(({ content }) => content).filter((content) => content !== '')
  if (contents.length === 0) return (text) => (text === '' ? [] : [text])
  const longestFirst = contents.toSorted((a, b) => b.length - a.length).map(escapeForPattern)
  // The parentheses keep the tokens in what `split` gives.
  const pattern = new RegExp(`(${longestFirst.join('|')})`, 'u')
  const byContent = new Map(tokens.map((token) => [token.content, token]))
  return (text) => {
    const parts = text.split(pattern).filter((part) => part !== '')
    for (const [place, part] of parts.entries()) giveWay(parts, place, byContent.get(part))
    return parts.filter((part) => part !== '')
  }
}

/** Lets a token change what is beside it. Neighbours are as those before it have left them. */
function giveWay(parts: string[], place: number, token: AddedToken | undefined): void {
  if (token === undefined) return
  const [left = '', right = ''] = [parts[place - 1], parts[place + 1]]
  if (token.rstrip && right !== '') parts[place + 1] = pythonStripStart(right)
  if (token.lstrip && left !== '') parts[place - 1] = pythonStripEnd(left)
  if (!token.single_word) return
  if (left !== '' && !left.endsWith(' ')) {
    parts[place - 1] = (parts[place - 1] ?? '') + token.content
    parts[place] = ''
  } else if (right !== '' && !right.startsWith(' ')) {
    parts[place + 1] = token.content + (parts[place + 1] ?? '')
    parts[place] = ''
  }
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
}
