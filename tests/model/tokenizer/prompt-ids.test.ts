import { expect, test } from 'vitest'
import { encodeEndText, encodePrompt } from '../../../src/model/tokenizer/prompt-ids.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'

const BOS = 1

function characterTokenizer(addsBos: boolean): Tokenizer {
  return {
    encode: (text) => [...(addsBos ? [BOS] : []), ...Array.from(text, (character) => character.charCodeAt(0))],
    decoder: () => ({ push: () => '', finish: () => '' }),
    token: () => undefined,
    bosTokenId: BOS,
    cleansUp: false,
  }
}

test('keeps the first BOS only, where the tokenizer adds one to each side', () => {
  const prompt = { before: 'A', after: 'B' }
  expect(encodePrompt(characterTokenizer(true), prompt)).toEqual({ before: [BOS, 65], after: [66], ends: [] })
  expect(encodePrompt(characterTokenizer(false), prompt)).toEqual({ before: [65], after: [66], ends: [] })
})

test('takes a side that is empty', () => {
  expect(encodePrompt(characterTokenizer(false), { before: '', after: 'B' })).toEqual({ before: [], after: [66], ends: [] })
})

test('encodes the end text without a BOS', () => {
  expect(encodeEndText(characterTokenizer(true), 'X')).toEqual([88])
  expect(encodeEndText(characterTokenizer(false), 'X')).toEqual([88])
})

test('says where the prompts of earlier rounds end, in tokens', () => {
  const prompt = { before: 'A', after: 'BCDE', ends: [1, 3] }
  expect(encodePrompt(characterTokenizer(true), prompt)).toEqual({ before: [BOS, 65], after: [66, 67, 68, 69], ends: [1, 3] })
})

test('leaves out an end that lies within a token', () => {
  const pairs: Tokenizer = { ...characterTokenizer(false), encode: (text) => (text.match(/..?/g) ?? []).map((pair) => pair.length * 1000 + pair.charCodeAt(0)) }
  expect(encodePrompt(pairs, { before: '', after: 'BCDE', ends: [1, 2, 3] }).ends).toEqual([1])
})
