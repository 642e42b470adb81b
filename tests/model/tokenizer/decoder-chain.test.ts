import { expect, test } from 'vitest'
import { createChainRun, readDecoderChain } from '../../../src/model/tokenizer/decoder-chain.js'

const replace = { type: 'Replace', pattern: { String: '▁' }, content: ' ' }
const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
const sequence = (...decoders: readonly object[]): object => ({ type: 'Sequence', decoders })

function decode(decoder: object, tokens: readonly string[]): readonly string[] {
  const run = createChainRun(readDecoderChain(decoder) ?? [])
  return [...tokens.map((token) => run.push(token)), run.finish()]
}

test('replaces in each token, and strips once from the beginning of all text', () => {
  expect(decode(sequence(replace, { type: 'Fuse' }, strip), ['▁', '▁a', '▁b'])).toEqual(['', ' a', ' b', ''])
})

test('holds bytes back until their run ends; all of it is replaced where one is no UTF-8', () => {
  const bytes = sequence({ type: 'ByteFallback' }, { type: 'Fuse' })
  expect(decode(bytes, ['<0xE2>', '<0x82>', '<0xAC>', 'x', '<0x41>', '<0xFF>'])).toEqual(['', '', '', '€x', '', '', '\ufffd\ufffd'])
})

test('knows no other steps', () => {
  expect(readDecoderChain(undefined)).toBeUndefined()
  expect(readDecoderChain({ type: 'Metaspace' })).toBeUndefined()
  expect(readDecoderChain(sequence(replace, { type: 'WordPiece' }))).toBeUndefined()
  expect(readDecoderChain(sequence(strip, { type: 'Fuse' }))).toBeUndefined()
})
