import { describe, expect, test } from 'vitest'

import { isCommit, looksLikeRepository, parseRepository, shownRepository } from '../../../../src/model/checkpoint/hub/repository.js'

describe('parseRepository', () => {
  test.each([
    ['org/name', 'org/name', 'main'],
    ['Zhang199/TinyLLaVA-Video-Qwen2.5-3B-Group-16-512@main', 'Zhang199/TinyLLaVA-Video-Qwen2.5-3B-Group-16-512', 'main'],
    ['org/name@refs/pr/1', 'org/name', 'refs/pr/1'],
    ['gpt2@v1.0', 'gpt2', 'v1.0'],
    ['o/n@0123456789abcdef0123456789abcdef01234567', 'o/n', '0123456789abcdef0123456789abcdef01234567'],
  ])('%s', (text, name, revision) => {
    expect(parseRepository(text)).toEqual({ name, revision })
  })

  test.each([
    '', '/name', 'org/', 'a/b/c', 'org/../name', '../name', 'org/na--me', 'org/na..me', 'org/name.git', '-org/name', 'org/name.',
    'org/na me', 'org/name?x', 'https://huggingface.co/org/name', 'org\\name', `org/${'x'.repeat(97)}`, 'a@b@c', '.', '/tmp', 'org/name\n',
  ])('%j names no model', (text) => {
    expect(() => parseRepository(text)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining('organisation/name') as unknown }))
  })

  test.each(['', '..', 'a/../b', '/a', '-x', 'a b', 'a%2e'])('%j is no revision', (revision) => {
    expect(() => parseRepository(`org/name@${revision}`)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining('is no revision') as unknown }))
  })
})

test('looksLikeRepository takes names with an organisation, and no paths', () => {
  expect(['org/name', 'org/name@v1'].map(looksLikeRepository)).toEqual([true, true])
  expect(['name', './org/name', '/org/name', 'a/b/c', '../name', 'org/name/'].map(looksLikeRepository)).toEqual([false, false, false, false, false, false])
})

test('a commit is 40 hexadecimal digits', () => {
  expect(isCommit('0123456789abcdef0123456789abcdef01234567')).toBe(true)
  expect(['main', '0123456', '0123456789ABCDEF0123456789abcdef01234567'].map(isCommit)).toEqual([false, false, false])
})

test('messages leave the default branch out', () => {
  expect(shownRepository({ name: 'a/b', revision: 'main' })).toBe('a/b')
  expect(shownRepository({ name: 'a/b', revision: 'v1' })).toBe('a/b@v1')
})
