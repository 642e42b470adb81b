import { expect, test } from 'vitest'
import { createByteRun } from '../../../../src/model/tokenizer/sentencepiece/byte-run.js'

function decode(...bytes: readonly number[]): readonly string[] {
  const run = createByteRun()
  return [...bytes.map((byte) => run.push(byte)), run.finish()]
}

test('holds the bytes of a character back until it is whole', () => {
  expect(decode(0x41, 0xf0, 0x9f, 0x98, 0x80, 0xc3, 0xa9)).toEqual(['A', '', '', '', '😀', '', 'é', ''])
})

test('makes a U+FFFD of each byte that is part of no character', () => {
  expect(decode(0xf0, 0x9f, 0x41)).toEqual(['', '', '\ufffd\ufffdA', ''])
  expect(decode(0xff, 0xc0, 0x80, 0xf5)).toEqual(['\ufffd', '\ufffd', '\ufffd', '\ufffd', ''])
  // Half a surrogate pair, and an "é" in three bytes.
  expect(decode(0xed, 0xa0, 0x80, 0xe0, 0x83, 0xa9).join('')).toBe('\ufffd'.repeat(6))
})

test('ends what is unfinished, byte by byte', () => {
  expect(decode(0xe2, 0x82)).toEqual(['', '', '\ufffd\ufffd'])
})

test('keeps a byte order mark', () => {
  expect(decode(0xef, 0xbb, 0xbf).join('')).toBe('\ufeff')
})
