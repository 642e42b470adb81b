import { expect, test } from 'vitest'
import { createAddedTokenSplitter } from '../../../src/model/tokenizer/added-token-splitter.js'
import type { AddedToken } from '../../../src/model/tokenizer/added-tokens.js'

const token = (content: string, flags: Partial<AddedToken> = {}): AddedToken => ({
  ...{ id: 0, content, lstrip: false, rstrip: false, single_word: false, normalized: false, special: false },
  ...flags,
})

test('cuts the leftmost token out, the longest of those that begin there', () => {
  const split = createAddedTokenSplitter([token('<a>'), token('<a>b'), token('.*')])
  expect(split('x<a>by.*<a>')).toEqual(['x', '<a>b', 'y', '.*', '<a>'])
})

test('takes white space beside a token, as Python strips it', () => {
  const split = createAddedTokenSplitter([token('<l>', { lstrip: true }), token('<r>', { rstrip: true })])
  expect(split('a \u0085<l> b<r>\n\n c')).toEqual(['a', '<l>', ' b', '<r>', 'c'])
  expect(split(' <l>')).toEqual(['<l>'])
})

test('leaves a token to the word it is part of, where it is to be a word of its own', () => {
  const split = createAddedTokenSplitter([token('<w>', { single_word: true })])
  expect(split('a <w> b')).toEqual(['a ', '<w>', ' b'])
  expect(split('a<w> b')).toEqual(['a<w>', ' b'])
  expect(split('a <w>b')).toEqual(['a ', '<w>b'])
})

test('gives nothing for no text', () => {
  expect(createAddedTokenSplitter([])('')).toEqual([])
  expect(createAddedTokenSplitter([token('')])('ab')).toEqual(['ab'])
})
