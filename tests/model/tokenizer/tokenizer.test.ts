import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildSlowTokenizer } from '../../../src/model/tokenizer/slow-tokenizer.js'
import { readTokenizerFiles } from '../../../src/model/tokenizer/files.js'
import { decodeText } from '../../../src/model/tokenizer/text-stream.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { type TemporaryFolder, copyCheckpoint, temporaryFolder } from '../../support/checkpoint-files.js'

let folder: TemporaryFolder
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => {
  folder.remove()
})

const readJson = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>

function edit(dir: string, file: string, change: (json: Record<string, unknown>) => Record<string, unknown>): void {
  writeFileSync(join(dir, file), JSON.stringify(change(readJson(join(dir, file)))))
}

function without(token: string) {
  return (vocabulary: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(vocabulary).filter(([other]) => other !== token))
}

function checkpoint(name = 'qwen2-group-16'): string {
  const dir = folder.file(name)
  copyCheckpoint(name, dir)
  return dir
}

describe('a broken tokenizer is TOKENIZER_INVALID:', () => {
  const invalid = (message: RegExp): unknown =>
    expect.objectContaining({ code: 'TOKENIZER_INVALID', message: expect.stringMatching(message) as unknown })

  test('no files at all', async () => {
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/No tokenizer found.*tokenizer_class is `none`/))
  })

  test('slow files of a class we do not know', async () => {
    const dir = checkpoint()
    edit(dir, 'tokenizer_config.json', (config) => ({ ...config, tokenizer_class: 'BertTokenizer' }))
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/tokenizer_class is `BertTokenizer`/))
  })

  test('a SentencePiece class without its model', async () => {
    const dir = checkpoint()
    edit(dir, 'tokenizer_config.json', (config) => ({ ...config, tokenizer_class: 'LlamaTokenizer' }))
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/expected .*tokenizer\.model/))
  })

  test('a SentencePiece model that was cut', async () => {
    const model = readFileSync(join(import.meta.dirname, '../../reference/tokenizers/llama/tokenizer.model'))
    writeFileSync(folder.file('tokenizer.model'), model.subarray(0, 5000))
    writeFileSync(folder.file('tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'LlamaTokenizer' }))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/tokenizer\.model` is not a SentencePiece model, or was cut/))
  })

  test('a vocabulary that is not JSON', async () => {
    const dir = checkpoint()
    writeFileSync(join(dir, 'vocab.json'), '{"a": 1')
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/vocab\.json` is not valid JSON/))
  })

  test('a vocabulary with an id that is not a number, naming the token', async () => {
    const dir = checkpoint()
    edit(dir, 'vocab.json', (vocabulary) => ({ ...vocabulary, circle: 'twelve' }))
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/vocab\.json.*`circle`/))
  })

  test('a vocabulary that lacks a byte', async () => {
    const dir = checkpoint()
    edit(dir, 'vocab.json', without('Ġ'))
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/lacks 1 of the 256 bytes/))
  })

  test('merges that are not pairs', async () => {
    const dir = checkpoint()
    writeFileSync(join(dir, 'merges.txt'), '#version: 0.2\na b\na b c\n')
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/Merge 2 of/))
  })

  test('a folder in the place of a file', async () => {
    const dir = checkpoint()
    rmSync(join(dir, 'merges.txt'))
    mkdirSync(join(dir, 'merges.txt'))
    await expect(loadTokenizer(dir)).rejects.toEqual(invalid(/Can't read .*merges\.txt/))
  })

  test('a tokenizer.json that decodes in a way of its own', async () => {
    writeFileSync(folder.file('tokenizer.json'), JSON.stringify({ model: { type: 'Unigram' }, decoder: { type: 'Metaspace' } }))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/decodes by `Metaspace`/))
  })

  test('a tokenizer.json the library can\'t build', async () => {
    writeFileSync(folder.file('tokenizer.json'), JSON.stringify({ model: { type: 'BPE' }, decoder: { type: 'ByteLevel' } }))
    await expect(loadTokenizer(folder.path)).rejects.toEqual(invalid(/can't be built/))
  })
})

describe('a tokenizer.json', () => {
  test('is taken where the slow files are missing, and gives the same ids and text', async () => {
    const dir = checkpoint()
    const slow = await loadTokenizer(dir)
    const built = buildSlowTokenizer(await readTokenizerFiles(dir))
    writeFileSync(folder.file('tokenizer.json'), JSON.stringify(built?.json))
    writeFileSync(folder.file('tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'Qwen2TokenizerFast' }))

    const fast = await loadTokenizer(folder.path)
    const text = "<|im_start|>Don't move 12 red circles,\n\n  世界 😀!<|endoftext|>"
    const ids = slow.encode(text)
    expect(ids.length).toBeGreaterThan(10)
    expect(fast.encode(text)).toEqual(ids)
    expect(decodeText(fast, ids)).toBe(decodeText(slow, ids))
    expect(fast.cleansUp).toBe(false)
  })
})

describe('settings of tokenizer_config.json', () => {
  test('add_bos_token puts a BOS in front', async () => {
    const dir = checkpoint('phi-naive')
    const plain = await loadTokenizer(dir)
    edit(dir, 'tokenizer_config.json', (config) => ({ ...config, add_bos_token: true }))
    const withBos = await loadTokenizer(dir)
    expect(withBos.encode('red')).toEqual([withBos.bosTokenId, ...plain.encode('red')])
    expect(withBos.bosTokenId).toBe(600)
  })

  test('add_prefix_space puts a space in front', async () => {
    const dir = checkpoint('phi-naive')
    const plain = await loadTokenizer(dir)
    edit(dir, 'tokenizer_config.json', (config) => ({ ...config, add_prefix_space: true }))
    expect((await loadTokenizer(dir)).encode('red')).toEqual(plain.encode(' red'))
  })

  test('clean_up_tokenization_spaces overrides the class', async () => {
    const dir = checkpoint('phi-naive')
    expect((await loadTokenizer(dir)).cleansUp).toBe(true)
    edit(dir, 'tokenizer_config.json', (config) => ({ ...config, clean_up_tokenization_spaces: false }))
    expect((await loadTokenizer(dir)).cleansUp).toBe(false)
  })
})

test('an id without a token stands for nothing: embedding tables are padded', async () => {
  const tokenizer = await loadTokenizer(checkpoint())
  expect(tokenizer.token(639)).toBeUndefined()
  expect(decodeText(tokenizer, [...tokenizer.encode('red'), 639])).toBe('red')
})

test('a vocabulary without a byte uses its unknown token', async () => {
  const dir = checkpoint('phi-naive')
  edit(dir, 'vocab.json', without('~'))
  expect((await loadTokenizer(dir)).encode('~')).toEqual([600])
})
