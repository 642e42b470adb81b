import { expect, test } from 'vitest'
import { pythonStrip, pythonStripEnd, pythonStripStart } from '../../../src/model/tokenizer/python-strip.js'

// All code points of CPython 3.11 with `str.isspace()`.
const SPACES = [
  0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
  0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
]

test('strips exactly the characters that are white space for Python', () => {
  const codes = Array.from({ length: 0x10000 }, (_, code) => code)
  const strip = (code: number): string => pythonStrip(`${String.fromCharCode(code)}a${String.fromCharCode(code)}`)
  expect(codes.filter((code) => strip(code) === 'a')).toEqual(SPACES)
  expect(codes.filter((code) => strip(code) !== 'a' && strip(code).length !== 3)).toEqual([])
})

test('strips one side only, and leaves the middle', () => {
  expect(pythonStripStart(' \n a b \n ')).toBe('a b \n ')
  expect(pythonStripEnd(' \n a b \n ')).toBe(' \n a b')
  expect(pythonStrip(' \n\t ')).toBe('')
})
