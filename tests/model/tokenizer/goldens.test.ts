import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanUp } from '../../../src/model/tokenizer/clean-up.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { pythonStrip } from '../../../src/model/tokenizer/python-strip.js'
import { createTextStream, decodeText } from '../../../src/model/tokenizer/text-stream.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'
import { temporaryFolder } from '../../support/checkpoint-files.js'
import { copyTokenizer } from '../../support/tokenizer-files.js'

/** A text, its ids, and what they are decoded to without special tokens where that isn't the text. */
type Row =
  | readonly [text: string, ids: readonly number[], decoded?: string]
  | { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }

/** What the tokenizers of transformers 4.40.1 answered; see `tests/reference/README.md`. */
interface TokenizerGolden {
  readonly tokenizerOf: string
  readonly strings: readonly Row[]
  readonly decodes: readonly (readonly [ids: readonly number[], text: string])[]
}

const reference = join(import.meta.dirname, '../../reference')

const byRow = (row: Row): { text: string; ids: readonly number[]; decoded: string } => {
  if ('text' in row) return row
  const [text, ids, decoded = text] = row
  return { text, ids, decoded }
}

describe.each([
  ['qwen2', 300, 107],
  ['phi', 300, 107],
  ['gpt2', 400, 208],
  ['llama', 2000, 408],
  ['gemma', 2000, 408],
  ['llama-legacy', 500, 208],
  ['llama-normalizing', 500, 208],
  ['llama-json', 400, 208],
  ['gemma-json', 400, 208],
  ['arcade100k', 2000, 404],
])('the %s tokenizer, against transformers', (name, texts, sequences) => {
  const golden = JSON.parse(readFileSync(join(reference, `tokenizer-${name}.json`), 'utf8')) as TokenizerGolden
  const strings = golden.strings.map(byRow)
  const folder = temporaryFolder()
  let tokenizer: Tokenizer

  beforeAll(async () => {
    copyTokenizer(join(reference, golden.tokenizerOf), folder.path)
    tokenizer = await loadTokenizer(folder.path)
  })
  afterAll(() => { folder.remove() })

  test(`encodes ${texts} texts to the same ids`, () => {
    expect(strings).toHaveLength(texts)
    const encoded = strings.map(({ text }) => ({ text, ids: tokenizer.encode(text) }))
    expect(encoded).toEqual(strings.map(({ text, ids }) => ({ text, ids })))
  })

  test(`decodes those ids, and ${sequences} drawn sequences with broken UTF-8, to the same text`, () => {
    expect(golden.decodes).toHaveLength(sequences)
    const decodes = [...golden.decodes, ...strings.map(({ ids, decoded }) => [ids, decoded] as const)]
    const decoded = decodes.map(([ids]) => ({ ids, text: decodeWhole(tokenizer, ids), stripped: decodeText(tokenizer, ids) }))
    expect(decoded).toEqual(decodes.map(([ids, text]) => ({ ids, text, stripped: pythonStrip(text) })))
  })

  test('streams text that is never taken back, and adds up to the final one', () => {
    for (const { ids } of strings) {
      const stream = createTextStream(tokenizer)
      const final = pythonStrip(decodeWhole(tokenizer, ids))
      let shown = ''
      for (const id of ids) {
        shown += stream.push(id)
        expect(final.startsWith(shown), `${JSON.stringify(shown)} begins ${JSON.stringify(final)}`).toBe(true)
      }
      expect(shown + stream.finish()).toBe(final)
    }
  })
})

/** Decodes in one go, by the definition: all of the text, then cleaned up. */
function decodeWhole(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = tokenizer.decoder()
  const text = ids.map((id) => decoder.push(id)).join('') + decoder.finish()
  return tokenizer.cleansUp ? cleanUp(text) : text
}
