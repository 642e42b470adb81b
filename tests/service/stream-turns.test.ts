import { describe, expect, test } from 'vitest'

import { StreamTurns } from '../../src/service/stream-turns.js'
import { settled } from '../operators/fakes.js'

describe('StreamTurns', () => {
  test('a stream that ends as it begins lets the next one begin, however many there are', async () => {
    const turns = new StreamTurns(1)
    let begun = 0
    for (let index = 0; index < 20_000; index += 1) {
      turns.wait({ isPaused: false }, (end) => {
        begun += 1
        end()
      })
    }
    await settled()
    expect(begun).toBe(20_000)
  })

  test('where all are ended one after the other, none is begun on the way', async () => {
    const [turns, source] = [new StreamTurns(1), { isPaused: false }]
    const ends: (() => void)[] = []
    const leave = Array.from({ length: 5 }, () => turns.wait(source, (end) => ends.push(end)))
    await settled()
    for (const one of [...ends, ...leave]) one()
    await settled()
    expect(ends).toHaveLength(1)
  })
})
