import { expect, test } from 'vitest'
import type { DecoderPrefix } from '../../../src/model/runtime/language-decoder.js'
import { PrefixCache } from '../../../src/model/runtime/prefix-cache.js'

function prefix(bytes: number): DecoderPrefix & { disposals: number } {
  const made = {
    length: 1,
    bytes,
    disposals: 0,
    begin: () => { throw new Error('Nothing begins here.') },
    dispose: () => { made.disposals += 1 },
  }
  return made
}

test('keeps what fits, and lets go what was asked for longest ago', () => {
  const cache = new PrefixCache(10)
  const [a, b, c] = [prefix(4), prefix(4), prefix(4)]
  cache.put('a', a)
  cache.put('b', b)
  expect(cache.get('a')).toBe(a)
  cache.put('c', c)
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([a, undefined, c])
  expect([a.disposals, b.disposals, cache.bytes]).toEqual([0, 1, 8])
})

test('lets go what is replaced, and what is too large by itself, without losing the others for it', () => {
  const cache = new PrefixCache(10)
  const [old, large] = [prefix(1), prefix(11)]
  cache.put('a', old)
  cache.put('a', prefix(2))
  expect([old.disposals, cache.bytes]).toEqual([1, 2])
  cache.put('b', large)
  expect([large.disposals, cache.bytes]).toEqual([1, 2])
  expect(cache.get('a')).toBeDefined()
})

test('keeps nothing where it may not', () => {
  const cache = new PrefixCache(0)
  cache.put('a', prefix(1))
  expect(cache.get('a')).toBeUndefined()
})
