import { expect, test } from 'vitest'
import { describe } from '../../../scripts/demo-model/questions.js'
import { createScene } from '../../../scripts/demo-model/scene.js'
import { scoreAnswer } from '../../../scripts/demo-model/score.js'

test.each([
  ['Red.', 'Red.', 1],
  ['Red.', ' red ', 1],
  ['Red.', 'Blue.', 0],
  ['Red.', '', 0],
  ['Yes, from red to blue.', 'Yes, from blue to red.', 0],
])('%j answered %j', (expected, actual, right) => {
  expect(scoreAnswer('colour', expected, actual)).toEqual({ right, total: 1 })
})

const both = 'A large red circle moves to the right and turns blue. A small green star appears at the end and stays still.'

test.each([
  [both, 12, 12],
  [both.replace('large', 'small'), 11, 12],
  [both.replace('red', 'orange').replace('green', 'yellow'), 10, 12],
  [both.replace(' and turns blue', ''), 11, 12],
  [both.replace(' appears at the end and', ''), 11, 12],
  ['A large red circle moves to the right and turns blue.', 6, 12],
  [`${both} A small green star stays still.`, 12, 18],
  ['I see a circle.', 0, 12],
  ['', 0, 12],
])('a description by its slots: %j', (actual, right, total) => {
  expect(scoreAnswer('describe', both, actual)).toEqual({ right, total })
})

test('reads every description that the generator gives', () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const text = describe(createScene(seed))
    const { right, total } = scoreAnswer('describe', text, text)
    expect(right).toBe(total)
    expect(total).toBe(6 * createScene(seed).shapes.length)
  }
})
