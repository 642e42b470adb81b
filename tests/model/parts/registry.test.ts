import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../src/errors.js'
import { createRegistry } from '../../../src/model/parts/registry.js'

describe('a registry', () => {
  test('gives back what was registered, and lists the names in order', () => {
    const registry = createRegistry<number>('number')
    registry.register('two', 2)
    registry.register('one', 1)
    expect(registry.get('one')).toBe(1)
    expect(registry.names()).toEqual(['one', 'two'])
    expect([registry.has('two'), registry.has('three')]).toEqual([true, false])
  })

  test('names the known parts where one is unknown', () => {
    const registry = createRegistry<number>('vision tower')
    registry.register('siglip', 1)
    registry.register('clip', 2)
    expect(() => registry.get('sig')).toThrow(
      new StreamError('PART_UNKNOWN', 'There is no vision tower `sig`. Known: clip, siglip.'),
    )
    expect(() => createRegistry('connector').get('mlp')).toThrow('Known: none.')
  })

  test('matches exact names only: a name of a property of every object is unknown, too', () => {
    expect(() => createRegistry('connector').get('constructor')).toThrow(expect.objectContaining({ code: 'PART_UNKNOWN' }))
  })

  test('refuses a second part of one name, and a part without a name', () => {
    const registry = createRegistry<number>('number')
    registry.register('one', 1)
    expect(() => { registry.register('one', 2) }).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
    expect(registry.get('one')).toBe(1)
    expect(() => { registry.register('', 2) }).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
