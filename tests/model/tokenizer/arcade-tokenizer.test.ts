/** StableLM-2's first tokenizer: what its files may get wrong, and settings; its ids and texts are in `goldens.test.ts`. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { encodePrompt } from '../../../src/model/tokenizer/prompt-ids.js'
import { decodeText } from '../../../src/model/tokenizer/text-stream.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'
import { referencePath } from '../../support/golden.js'
import { copyTokenizer } from '../../support/tokenizer-files.js'

const FILE = 'arcade100k.tiktoken'

let folder: TemporaryFolder
beforeEach(() => {
  folder = temporaryFolder()
  copyTokenizer(referencePath('tokenizers/arcade100k'), folder.path)
})
afterEach(() => { folder.remove() })

function changeRanks(change: (lines: readonly string[]) => readonly string[]): void {
  const lines = readFileSync(folder.file(FILE), 'utf8').trimEnd().split('\n')
  writeFileSync(folder.file(FILE), `${change(lines).join('\n')}\n`)
}

const writeConfig = (config: object): void => { writeFileSync(folder.file('tokenizer_config.json'), JSON.stringify(config)) }

const invalid = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'TOKENIZER_INVALID', message: expect.stringMatching(message) as unknown })

describe('a vocabulary that is broken is TOKENIZER_INVALID:', () => {
  test.each([
    ['base64 that isn\'t any', 'IH*0 258'],
    ['base64 that was cut', 'IHQ 258'],
    ['a token without a rank', 'IHQ='],
    ['a rank that is no number', 'IHQ= third'],
    ['a rank without a token', ' 258'],
    ['more than a token and its rank', 'IHQ= 258 12'],
  ])('%s, with its line', async (_, line) => {
    changeRanks((lines) => lines.with(258, line))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/Line 259 of .*arcade100k\.tiktoken` is not a token in base64 and its rank/))
  })

  test('a rank that is missing', async () => {
    changeRanks((lines) => lines.toSpliced(300, 1))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/no token of rank 300: its ranks go from 0 to 100255/))
  })

  test('a file that was cut between two lines', async () => {
    changeRanks((lines) => lines.slice(0, 50_000))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/no token of rank 50000: .*Fetch the file again/))
  })

  test.each([['twice', 'IHQ= 257'], ['too high', 'IHQ= 100256']])('a rank that is there %s', async (_, line) => {
    changeRanks((lines) => lines.with(258, line))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/Line 259 of .* has rank (257|100256), which is taken or too high/))
  })

  test('a token that is there twice', async () => {
    changeRanks((lines) => lines.with(258, 'IGE= 258'))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/arcade100k\.tiktoken` has a token twice/))
  })

  test('a byte without a token', async () => {
    const byte = `${Buffer.from('~').toString('base64')} `
    changeRanks((lines) => lines.map((line) => (line.startsWith(byte) ? line.replace(byte, '/v7+/g== ') : line)))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/lacks the byte 126/))
  })

  test('a file of another class', async () => {
    writeConfig({ tokenizer_class: 'QWenTokenizer' })
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/`arcade100k\.tiktoken` of `Arcade100kTokenizer` \(tokenizer_class is `QWenTokenizer`\)/))
  })

  test('no file at all', async () => {
    rmSync(folder.file(FILE))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/No tokenizer found.*tokenizer_class is `Arcade100kTokenizer`/))
  })
})

test('empty lines and those of Windows are as good as others', async () => {
  const ids = (await loadTokenizer(folder.path)).encode('the video')
  changeRanks((lines) => lines.map((line) => `${line}\r`))
  appendFileSync(folder.file(FILE), '\n\n')
  expect((await loadTokenizer(folder.path)).encode('the video')).toEqual(ids)
})

test('special tokens and the id beside them are as the class has them', async () => {
  const tokenizer = await loadTokenizer(folder.path)
  expect([100256, 100257, 100278, 100288, 100289].map((id) => tokenizer.token(id)))
    .toEqual([undefined, '<|endoftext|>', '<|im_end|>', '<|extra0|>', undefined])
  expect(decodeText(tokenizer, [...tokenizer.encode('red'), 100256, 100289])).toBe('red')
})

test('half a pair of surrogates is a replacement character', async () => {
  const tokenizer = await loadTokenizer(folder.path)
  expect(tokenizer.encode('a\ud83d b')).toEqual(tokenizer.encode('a\ufffd b'))
})

test('a BOS of the configuration is none that text begins with', async () => {
  writeConfig({ tokenizer_class: 'Arcade100kTokenizer', bos_token: '<|endoftext|>' })
  const tokenizer = await loadTokenizer(folder.path)
  expect(tokenizer.bosTokenId).toBe(100257)
  expect(encodePrompt(tokenizer, { before: 'red ', after: ' circle' })).toMatchObject({ before: tokenizer.encode('red '), after: tokenizer.encode(' circle') })
})
