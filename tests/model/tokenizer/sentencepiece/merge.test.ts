import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BestFirst } from '../../../../src/model/tokenizer/sentencepiece/best-first.js'
import { mergeToPieces } from '../../../../src/model/tokenizer/sentencepiece/merge.js'
import { parseSentencePieceModel } from '../../../../src/model/tokenizer/sentencepiece/model-file.js'
import { createPieceTable } from '../../../../src/model/tokenizer/sentencepiece/piece-table.js'
import { createSymbolMatcher } from '../../../../src/model/tokenizer/sentencepiece/symbol-matcher.js'
import { type MadePiece, modelBytes } from './model-bytes.js'

function merge(text: string, pieces: readonly MadePiece[]): readonly string[] {
  const model = parseSentencePieceModel('tokenizer.model', modelBytes({ pieces: [['<unk>', 0, 2], ['a'], ['b'], ['c'], ...pieces] }))
  const userDefined = pieces.filter(([, , kind]) => kind === 4).map(([symbol]) => symbol)
  return mergeToPieces(createPieceTable(model), createSymbolMatcher(userDefined), text)
}

test('merges what has the highest score first', () => {
  expect(merge('abc', [['ab', -1], ['bc', 0]])).toEqual(['a', 'bc'])
  expect(merge('abc', [['ab', 0], ['bc', -1]])).toEqual(['ab', 'c'])
})

test('of equals merges the leftmost, by whatever pair it is made', () => {
  expect(merge('aaa', [['aa', 0]])).toEqual(['aa', 'a'])
  expect(merge('aaaaa', [['aa', 0], ['aaa', -1]])).toEqual(['aa', 'aaa'])
})

test('takes pieces marked as unused apart again', () => {
  expect(merge('abc', [['ab', 0, 5], ['abc', -1]])).toEqual(['abc'])
  expect(merge('abc', [['bc', 0], ['abc', -1, 5]])).toEqual(['a', 'bc'])
})

test('never merges user-defined symbols', () => {
  expect(merge('acb', [['ac', 0], ['acb', 0]])).toEqual(['acb'])
  expect(merge('acb', [['ac', 0, 4], ['acb', 0]])).toEqual(['ac', 'b'])
})

test('gives characters without a piece by themselves', () => {
  expect(merge('a😀b', [['ab', 0]])).toEqual(['a', '😀', 'b'])
  expect(merge('', [])).toEqual([])
})

test('a queue hands out its items best first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const queue = new BestFirst<number>((a, b) => a > b)
      for (const number of numbers) queue.push(number)
      expect([...numbers.map(() => queue.pop()), queue.pop()]).toEqual([...numbers.toSorted((a, b) => b - a), undefined])
    }),
  )
})
