import { expect, test } from 'vitest'
import { layOutPrompt } from '../../../src/model/runtime/prompt-layout.js'

const ids = { before: [1, 2], after: [3, 4, 5], ends: [1, 2] }
const layOut = (maxPromptTokens: number | null, maxPositions = 100) => layOutPrompt(ids, 4, { maxPromptTokens, maxPositions })

test('keeps all where there is no limit, or it is not reached', () => {
  const whole = { before: [1, 2], visualTokens: 4, after: [3, 4, 5], ends: [1, 2], length: 9, isTruncated: false }
  expect(layOut(null)).toEqual(whole)
  expect(layOut(9)).toEqual(whole)
})

test('cuts the end: the question, then the visual tokens, then the text before them', () => {
  expect(layOut(8)).toEqual({ before: [1, 2], visualTokens: 4, after: [3, 4], ends: [1], length: 8, isTruncated: true })
  expect(layOut(5)).toEqual({ before: [1, 2], visualTokens: 3, after: [], ends: [], length: 5, isTruncated: true })
  expect(layOut(1)).toEqual({ before: [1], visualTokens: 0, after: [], ends: [], length: 1, isTruncated: true })
})

test('cuts nothing where nothing is shown, and refuses a prompt of nothing at all', () => {
  const limits = { maxPromptTokens: 3, maxPositions: 100 }
  const text = { before: [1, 2, 3, 4], after: [], ends: [] }
  expect(layOutPrompt(text, 0, limits)).toEqual({ ...text, visualTokens: 0, length: 4, isTruncated: false })
  expect(layOutPrompt(text, 1, limits)).toMatchObject({ length: 3, isTruncated: true })
  expect(() => layOutPrompt({ ...text, before: [] }, 0, limits)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})

test('needs a position for one token of the answer', () => {
  expect(layOut(null, 10).length).toBe(9)
  expect(() => layOut(null, 9)).toThrow(expect.objectContaining({ code: 'PROMPT_TOO_LONG' }))
  expect(layOut(8, 9).length).toBe(8)
})
