import { expect, test } from 'vitest'
import { encodeEndText, encodePrompt } from '../../../src/model/tokenizer/prompt-ids.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'

const BOS = 1

function characterTokenizer(addsBos: boolean): Tokenizer {
  return {
    encode: (text) => [...(addsBos ? [BOS] : []), ...Array.from(text, (character) => character.charCodeAt(0))],
    piece: () => ({ kind: 'none' }),
    bosTokenId: BOS,
    spacesBetweenAdded: false,
    cleansUp: false,
  }
}

test('keeps the first BOS only, where the tokenizer adds one to each side', () => {
  const prompt = { before: 'A', after: 'B' }
  expect(encodePrompt(characterTokenizer(true), prompt)).toEqual({ before: [BOS, 65], after: [66] })
  expect(encodePrompt(characterTokenizer(false), prompt)).toEqual({ before: [65], after: [66] })
})

test('takes a side that is empty', () => {
  expect(encodePrompt(characterTokenizer(false), { before: '', after: 'B' })).toEqual({ before: [], after: [66] })
})

test('encodes the end text without a BOS', () => {
  expect(encodeEndText(characterTokenizer(true), 'X')).toEqual([88])
  expect(encodeEndText(characterTokenizer(false), 'X')).toEqual([88])
})
