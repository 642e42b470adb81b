import { expect, test } from 'vitest'
import { resolveAddedTokens, resolveSpecialTokens } from '../../../src/model/tokenizer/added-tokens.js'
import type { TokenizerFiles } from '../../../src/model/tokenizer/files.js'
import { tokenizerClasses } from '../../../src/model/tokenizer/tokenizer-class.js'

const vocabulary = { a: 0, b: 1, '<|endoftext|>': 2 }

function files(parts: Partial<TokenizerFiles>): TokenizerFiles {
  const none = { tokenizerJson: undefined, merges: undefined, sentencePieceModel: undefined, arcadeRanks: undefined, addedTokens: undefined, specialTokensMap: undefined }
  return { dir: 'somewhere', config: {}, vocabulary, ...none, ...parts }
}

function resolve(parts: Partial<TokenizerFiles>, className = 'CodeGenTokenizer') {
  const tokenizerClass = tokenizerClasses[className]
  if (tokenizerClass === undefined) throw new Error(`unknown class ${className}`)
  const specialTokens = resolveSpecialTokens(files(parts), tokenizerClass)
  const added = resolveAddedTokens(files(parts), new Map(Object.entries(vocabulary)), specialTokens)
  return { specialTokens, added: added.map(({ id, content, special }) => ({ id, content, special })) }
}

const flags = { lstrip: false, rstrip: false, single_word: false, special: false }

test('takes special tokens from the class where no file names them, with their id in the vocabulary', () => {
  expect(resolve({}).added).toEqual([{ id: 2, content: '<|endoftext|>', special: true }])
  expect(resolve({}).specialTokens.byName.get('bos_token')).toBe('<|endoftext|>')
})

test('lets the config take one away', () => {
  expect(resolve({ config: { bos_token: null } }).specialTokens.byName.has('bos_token')).toBe(false)
})

test('gives a special token that is nowhere the next free id', () => {
  expect(resolve({ config: { eos_token: '</s>' } }).added).toContainEqual({ id: 3, content: '</s>', special: true })
})

test('calls special what is a named token, whatever its flag says', () => {
  const config = {
    added_tokens_decoder: {
      5: { ...flags, content: '<tool>', special: true },
      4: { ...flags, content: '<|im_end|>' },
    },
    additional_special_tokens: ['<|im_end|>'],
  }
  expect(resolve({ config }).added).toEqual([
    { id: 2, content: '<|endoftext|>', special: true },
    { id: 4, content: '<|im_end|>', special: true },
    { id: 5, content: '<tool>', special: false },
  ])
})

test('reads added_tokens.json and special_tokens_map.json only where the config holds no added tokens', () => {
  const legacy = { addedTokens: { '    ': 3 }, specialTokensMap: { eos_token: '</s>' } }
  expect(resolve(legacy).added.map(({ content }) => content)).toEqual(['<|endoftext|>', '    ', '</s>'])
  const config = { added_tokens_decoder: { 4: { ...flags, content: '\t' } } }
  expect(resolve({ ...legacy, config }).added.map(({ content }) => content)).toEqual(['<|endoftext|>', '\t'])
})
