import { expect, test } from 'vitest'
import { checkEndTokens } from '../../../src/model/tokenizer/check-end-tokens.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'

/** Knows 256 characters and `<end>`, which is 256. */
const tokenizer: Tokenizer = {
  encode: (text) => (text === '<end>' ? [256] : Array.from(text, (character) => character.charCodeAt(0))),
  decoder: () => ({ push: () => '', finish: () => '' }),
  token: (id) => (id <= 256 ? String(id) : undefined),
  bosTokenId: undefined,
  cleansUp: false,
}
const check = (eosTokenIds: readonly number[], endText?: string): (() => void) => () => {
  checkEndTokens('somewhere', tokenizer, { eosTokenIds, ...(endText !== undefined && { endText }) })
}
const invalid = (message: RegExp): Error =>
  expect.objectContaining({ code: 'TOKENIZER_INVALID', message: expect.stringMatching(message) as unknown }) as Error

test('an end token beyond the vocabulary is refused, by its number', () => {
  expect(check([256, 50256], '<end>')).toThrow(invalid(/`somewhere` has no token 50256, which ends answers/))
})

test('without an end token, the template’s end text must be a token', () => {
  expect(check([], '<|end|>')).toThrow(invalid(/`<\|end\|>`.*is no token/))
  expect(check([], '<end>')).not.toThrow()
})

test('an end token is enough: templates may end answers by any text', () => {
  expect(check([256], '</answer>')).not.toThrow()
  expect(check([])).not.toThrow()
})
