import { expect, test } from 'vitest'
import { createTextStream, decodeText } from '../../../src/model/tokenizer/text-stream.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'

/** A tokenizer whose ids are the words of a list. */
function wordTokenizer(words: readonly string[], cleansUp = false): Tokenizer {
  return {
    encode: () => [],
    decoder: () => ({ push: (id) => words[id] ?? '', finish: () => '' }),
    token: (id) => words[id],
    bosTokenId: undefined,
    cleansUp,
  }
}

function deltas(words: readonly string[], options: { endText?: string; cleansUp?: boolean } = {}): readonly string[] {
  const stream = createTextStream(wordTokenizer(words, options.cleansUp), options.endText)
  return [...words.map((_, id) => stream.push(id)), stream.finish()]
}

test('leaves out white space at the start, and at the end until more text comes', () => {
  expect(deltas([' \n', ' a ', ' b', ' \n'])).toEqual(['', 'a', '  b', '', ''])
})

test('holds back a space that clean-up may remove', () => {
  expect(deltas(['red', ' ', ',', ' b', 'lue', ' '], { cleansUp: true })).toEqual(['red', '', '', ', b', 'lue', '', ''])
})

test('removes the end text and the space in front of it, and never shows its beginning', () => {
  expect(deltas(['yes', ' ', '<', '|end', '|>', ' '], { endText: '<|end|>' })).toEqual(['yes', '', '', '', '', '', ''])
})

test('shows what only looked like the end text', () => {
  expect(deltas(['1 ', '<|', ' 2'], { endText: '<|end|>' })).toEqual(['1', '', ' <| 2', ''])
  expect(deltas(['a<|end', '|> b', '<|end|>'], { endText: '<|end|>' }).join('')).toBe('a<|end|> b')
})

test('removes the end text once', () => {
  expect(deltas(['a', '<e>', '<e>'], { endText: '<e>' }).join('')).toBe('a<e>')
})

test('gives an empty text for no tokens, and for white space', () => {
  expect(decodeText(wordTokenizer([]), [])).toBe('')
  expect(deltas([' ', '\n']).join('')).toBe('')
})
