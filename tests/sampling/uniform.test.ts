import { expect, test } from 'vitest'

import { uniform } from '../../src/sampling/uniform.js'

test('is a plain value', () => {
  expect(uniform(16)).toEqual({ kind: 'uniform', frames: 16 })
})

test.each([0, -1, 2.5, Infinity])('refuses %s frames', (frames) => {
  expect(() => uniform(frames)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})
