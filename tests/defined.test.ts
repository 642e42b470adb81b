import { expect, test } from 'vitest'

import { defined } from '../src/defined.js'

test('leaves out what has no value, and nothing else', () => {
  expect(Object.entries(defined({ none: undefined, zero: 0, no: false, empty: '', null: null }))).toEqual([
    ['zero', 0], ['no', false], ['empty', ''], ['null', null],
  ])
})
