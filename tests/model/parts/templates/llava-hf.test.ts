import { expect, test } from 'vitest'

import { llavaHf } from '../../../../src/model/parts/templates/llava-hf.js'
import { IMAGE_MARKER, buildPrompt } from '../../../../src/model/parts/templates/prompt.js'

test('a later round follows the end text of the answer before, as transformers documents it', () => {
  const rounds = [{ question: 'What is it?', answer: 'A red circle.' }, { question: 'Does it move?', answer: 'Yes.' }]
  const { before, after } = buildPrompt(llavaHf, 'Where to?', rounds)
  expect(before + IMAGE_MARKER + after).toBe(
    'USER: <image>\nWhat is it?\nASSISTANT: A red circle.</s>USER: Does it move?\nASSISTANT: Yes.</s>USER: Where to?\nASSISTANT:',
  )
})
