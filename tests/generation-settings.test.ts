import { expect, test } from 'vitest'
import { resolveGeneration } from '../src/generation-settings.js'

test('is greedy, with 512 tokens, where a call says nothing', () => {
  expect(resolveGeneration({})).toEqual({ maxNewTokens: 512, temperature: 0, topP: 1, seed: 0 })
})

test('keeps what a call says', () => {
  const settings = { maxNewTokens: 7, temperature: 0.2, topP: 0.9, seed: 4, template: 'phi' }
  expect(resolveGeneration(settings)).toEqual(settings)
})

test.each([
  ['maxNewTokens', 0],
  ['maxNewTokens', 1.5],
  ['temperature', -0.1],
  ['temperature', NaN],
  ['topP', 0],
  ['topP', 1.1],
  ['seed', -1],
  ['seed', 0.5],
  ['template', ''],
])('refuses %s = %s, naming it', (name, value) => {
  expect(() => resolveGeneration({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining(`\`${name}\``) as unknown }),
  )
})
