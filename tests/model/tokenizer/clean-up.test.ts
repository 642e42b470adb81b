import { expect, test } from 'vitest'
import { createRandom } from '../../../src/model/runtime/random.js'
import { cleanUp, settledLength } from '../../../src/model/tokenizer/clean-up.js'

test('removes the spaces transformers removes', () => {
  expect(cleanUp("It is n't red , is it ? I 'm sure . They 've , we 're , she 's ! a ' b")).toBe(
    "It isn't red, is it? I'm sure. They've, we're, she's! a'b",
  )
})

test('goes over the text once for each replacement, so two spaces leave one', () => {
  expect(cleanUp('red  .')).toBe('red .')
})

test('settles what no later text can change', () => {
  expect(settledLength('a circle')).toBe('a circle'.length)
  expect(settledLength('a circle ')).toBe('a circle'.length)
  // `n ' t` becomes `n't`, and then loses the space in front of it.
  expect(settledLength("did n '")).toBe('did'.length)
})

test('cleans settled pieces one by one to the same text as the whole', () => {
  const random = createRandom(7)
  const alphabet = [' ', ' ', "'", 'n', 't', 's', 'm', 'r', 'e', 'v', '.', ',', '!', '?', 'a', '\n', '😀']
  const wrong: string[] = []
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 30 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
    let pieces = ''
    let pending = ''
    for (const character of text) {
      pending += character
      const length = settledLength(pending)
      pieces += cleanUp(pending.slice(0, length))
      pending = pending.slice(length)
    }
    if (pieces + cleanUp(pending) !== cleanUp(text)) wrong.push(text)
  }
  expect(wrong).toEqual([])
})
