import { expect, test } from 'vitest'
import { parseCharsmap } from '../../../../src/model/tokenizer/sentencepiece/charsmap.js'

const invalid = expect.objectContaining({ code: 'TOKENIZER_INVALID', message: expect.stringMatching(/broken map of characters/) as unknown }) as Error

test('replaces nothing where there is no map', () => {
  expect(parseCharsmap('tokenizer.model', new Uint8Array())('a', 0)).toBeUndefined()
})

test.each([
  ['is shorter than its header', [1, 0]],
  ['names a trie longer than itself', [8, 0, 0, 0, 1, 2, 3, 4]],
  ['names a trie of broken units', [3, 0, 0, 0, 1, 2, 3, 4]],
])('refuses a map that %s', (_, bytes) => {
  expect(() => parseCharsmap('tokenizer.model', Uint8Array.from(bytes))).toThrow(invalid)
})
