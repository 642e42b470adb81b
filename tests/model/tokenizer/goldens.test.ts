import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { cleanUp } from '../../../src/model/tokenizer/clean-up.js'
import { createPieceJoiner } from '../../../src/model/tokenizer/piece-joiner.js'
import { pythonStrip } from '../../../src/model/tokenizer/python-strip.js'
import { createTextStream, decodeText } from '../../../src/model/tokenizer/text-stream.js'
import { type Tokenizer, loadTokenizer } from '../../../src/model/tokenizer/tokenizer.js'

/** What the slow tokenizers of transformers 4.40.1 answered; see `tests/reference/README.md`. */
interface TokenizerGolden {
  readonly tokenizerOf: string
  readonly strings: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[]
  readonly decodes: readonly (readonly [ids: readonly number[], text: string])[]
}

const reference = join(import.meta.dirname, '../../reference')

describe.each(['qwen2', 'phi'])('the %s tokenizer, against transformers', (name) => {
  const golden = JSON.parse(readFileSync(join(reference, `tokenizer-${name}.json`), 'utf8')) as TokenizerGolden
  let tokenizer: Tokenizer

  beforeAll(async () => {
    tokenizer = await loadTokenizer(join(reference, golden.tokenizerOf))
  })

  test('encodes 300 texts to the same ids', () => {
    expect(golden.strings).toHaveLength(300)
    const encoded = golden.strings.map(({ text }) => ({ text, ids: tokenizer.encode(text) }))
    expect(encoded).toEqual(golden.strings.map(({ text, ids }) => ({ text, ids })))
  })

  test('decodes those ids, and 107 random sequences with broken UTF-8, to the same text', () => {
    const decodes = [...golden.decodes, ...golden.strings.map(({ ids, decoded }) => [ids, decoded] as const)]
    expect(decodes).toHaveLength(407)
    for (const [ids, text] of decodes) expect(decodeText(tokenizer, ids), JSON.stringify(ids)).toBe(pythonStrip(text))
  })

  test('decodes to the same text before it is stripped', () => {
    for (const [ids, text] of golden.decodes) expect(decodeWhole(tokenizer, ids), JSON.stringify(ids)).toBe(text)
  })

  test('streams text that is never taken back, and adds up to the final one', () => {
    for (const { ids } of golden.strings) {
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

/** Decodes in one go, by the definition: join, then clean up the whole text. */
function decodeWhole(tokenizer: Tokenizer, ids: readonly number[]): string {
  const joiner = createPieceJoiner(tokenizer.spacesBetweenAdded)
  const text = ids.map((id) => joiner.push(tokenizer.piece(id))).join('') + joiner.finish()
  return tokenizer.cleansUp ? cleanUp(text) : text
}
