import { expect, test } from 'vitest'

import { textTable } from '../../src/cli/text-table.js'

test('aligns the first column to the left and the others to the right', () => {
  expect(textTable([['task', 'questions'], ['a long one', '7'], ['b', '1000000000']])).toBe(
    ['task         questions', '----------------------', 'a long one           7', 'b           1000000000', ''].join('\n'),
  )
})

test('takes rows of unequal length', () => {
  expect(textTable([['answered'], ['6', 'x']])).toBe('answered\n-----------\n6         x\n')
})
