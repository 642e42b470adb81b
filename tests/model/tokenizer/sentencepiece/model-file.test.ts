import { describe, expect, test } from 'vitest'
import { byteOf, bytePiece } from '../../../../src/model/tokenizer/sentencepiece/byte-piece.js'
import { parseSentencePieceModel } from '../../../../src/model/tokenizer/sentencepiece/model-file.js'
import { type MadeModel, modelBytes } from './model-bytes.js'

const parse = (model: MadeModel) => parseSentencePieceModel('tokenizer.model', modelBytes(model))

describe('a model is refused with TOKENIZER_INVALID', () => {
  test.each<readonly [string, MadeModel, RegExp]>([
    ['of another kind than BPE', { algorithm: 1 }, /kind `unigram`; only `bpe` is supported/],
    ['of a kind nobody knows', { algorithm: 9 }, /kind `unknown`/],
    ['without pieces', { pieces: [] }, /has no pieces/],
    ['with a piece without text', { pieces: [['<unk>', 0, 2], ['']] }, /no text for piece 1/],
    ['without an unknown piece', { pieces: [['a']] }, /exactly one unknown piece/],
    ['with a piece of an unknown kind', { pieces: [['<unk>', 0, 2], ['a', 0, 7]] }, /not a SentencePiece model/],
    ['that lacks bytes', { hasByteFallback: true }, /has 0 byte pieces, and byte_fallback is true/],
    ['with bytes nobody asked for', { pieces: [['<unk>', 0, 2], ['<0x41>', 0, 6]] }, /has 1 byte pieces, and byte_fallback is false/],
    ['with a byte that is none', { pieces: [['<unk>', 0, 2], ['<0xZZ>', 0, 6]] }, /names no byte/],
    ['that changes decoded text', { denormaliser: Uint8Array.of(1) }, /denormalizer_spec/],
  ])('%s', (_, model, message) => {
    const error: unknown = expect.objectContaining({ code: 'TOKENIZER_INVALID', message: expect.stringMatching(message) as unknown })
    expect(() => parse(model)).toThrow(error)
  })
})

test('takes the defaults of the file format where a field is missing', () => {
  const { normaliser, unknownSurface } = parse({})
  expect(unknownSurface).toBe(' ⁇ ')
  expect(normaliser).toMatchObject({ addsDummyPrefix: true, removesExtraSpaces: true, escapesSpaces: true, spaceIsSuffix: false })
})

test('spells each byte in a piece', () => {
  expect(bytePiece(10)).toBe('<0x0A>')
  expect(byteOf('<0x0A>')).toBe(10)
  expect(byteOf('<0x0a>')).toBeUndefined()
})
