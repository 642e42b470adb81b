import { expect, test } from 'vitest'

import { tellOnce } from '../../src/cli/tell-once.js'

test('tells each text once, with what came with it the first time', () => {
  const told: (readonly [string, number])[] = []
  const tell = tellOnce((text, place: number) => void told.push([text, place]))
  tell('cut', 0)
  tell('late', 1)
  tell('cut', 2)
  expect(told).toEqual([['cut', 0], ['late', 1]])
})
