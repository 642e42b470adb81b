import { expect, test } from 'vitest'
import { createPieceJoiner } from '../../../src/model/tokenizer/piece-joiner.js'
import type { TokenPiece } from '../../../src/model/tokenizer/tokenizer.js'

const FOUR = ' '.repeat(4)
const TWO = ' '.repeat(2)

const bytes = (...values: readonly number[]): TokenPiece => ({ kind: 'bytes', bytes: Uint8Array.from(values) })
const utf8 = (text: string): TokenPiece => ({ kind: 'bytes', bytes: new TextEncoder().encode(text) })
const added = (text: string): TokenPiece => ({ kind: 'added', text })

function join(pieces: readonly TokenPiece[], spacesBetween: boolean): readonly string[] {
  const joiner = createPieceJoiner(spacesBetween)
  return [...pieces.map((piece) => joiner.push(piece)), joiner.finish()]
}

test('holds the bytes of a character back until it is whole', () => {
  expect(join([bytes(0xf0, 0x9f), bytes(0x98), bytes(0x80, 0x21)], true)).toEqual(['', '', '😀!', ''])
})

test('shows malformed and unfinished bytes as U+FFFD', () => {
  expect(join([bytes(0xff, 0x41), bytes(0xe4, 0xb8)], true)).toEqual(['\ufffdA', '', '\ufffd'])
})

test('puts a space around added tokens where the class does, and none at the ends', () => {
  const pieces = [added('\t\t'), utf8('a'), utf8('b'), added(FOUR), added(TWO), utf8('c')]
  expect(join(pieces, true).join('')).toBe(`\t\t ab ${FOUR} ${TWO} c`)
  expect(join(pieces, false).join('')).toBe(`\t\tab${FOUR}${TWO}c`)
})

test('ends an unfinished character at an added token, but not at one that is left out', () => {
  expect(join([bytes(0xe4), added('X'), bytes(0xb8, 0x96)], false).join('')).toBe('\ufffdX\ufffd\ufffd')
  expect(join([bytes(0xe4), { kind: 'none' }, bytes(0xb8, 0x96)], false).join('')).toBe('世')
})

test('keeps a byte order mark, as Python does', () => {
  expect(join([utf8('\ufeffa')], false).join('')).toBe('\ufeffa')
})
