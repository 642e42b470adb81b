import { expect, test } from 'vitest'
import { BYTE_CHARACTERS, tokenBytes } from '../../../src/model/tokenizer/byte-level.js'

test('has a character of its own for each byte, as GPT-2 has', () => {
  expect(new Set(BYTE_CHARACTERS).size).toBe(256)
  expect(['A', '!', '~'].map((character) => BYTE_CHARACTERS[character.charCodeAt(0)])).toEqual(['A', '!', '~'])
  expect([0, 0x20, 0x7f, 0xa0, 0xad].map((byte) => BYTE_CHARACTERS[byte])).toEqual(['Ā', 'Ġ', 'ġ', 'ł', 'Ń'])
})

test('reads a token back as bytes, each of the 256', () => {
  expect(tokenBytes(BYTE_CHARACTERS.join(''))).toEqual(Uint8Array.from({ length: 256 }, (_, byte) => byte))
  expect(tokenBytes('Ġcafé')).toEqual(Uint8Array.of(0x20, 0x63, 0x61, 0x66, 0xe9))
})

test('says where a token is not made of such characters', () => {
  expect(tokenBytes('a b')).toBeUndefined()
  expect(tokenBytes('世')).toBeUndefined()
})
