import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { choicesOfOptions, parseChoice } from '../../src/eval/multiple-choice.js'
import { readEvalGolden } from './goldens.js'

const rows = (file: string) =>
  readEvalGolden(
    file,
    z.array(
      z.object({
        choices: z.array(z.string()),
        texts: z.record(z.string(), z.string()),
        answer: z.string(),
        parsed: z.string(),
        longVideoBench: z.string().optional(),
      }),
    ),
  )

type Row = ReturnType<typeof rows>[number]

const choicesIn = ({ choices, texts }: Row) => new Map(choices.map((letter) => [letter, texts[letter] ?? '']))

describe('parseChoice', () => {
  test('takes every answer for what the video scripts take it for; what they fail on is guessed', () => {
    const table = rows('choices.json')
    expect(table.length).toBeGreaterThan(300)
    const ours = table.map((row) => parseChoice(row.answer, choicesIn(row)) ?? 'guess')
    expect(ours).toEqual(table.map(({ longVideoBench }) => longVideoBench))
    const failed = table.filter(({ parsed, longVideoBench }) => parsed !== longVideoBench)
    expect(new Set(failed.map(({ parsed }) => parsed))).toEqual(new Set(['error']))
  })

  test('takes every answer for what MMMU’s script takes it for', () => {
    const table = rows('choices-mmmu.json')
    expect(table.length).toBeGreaterThan(300)
    const ours = table.map((row) => parseChoice(row.answer, choicesIn(row), { byFirstLetter: false }) ?? 'guess')
    expect(ours).toEqual(table.map(({ parsed }) => parsed))
  })
})

test('options carry their letters; their last character goes, whatever it is', () => {
  expect(choicesOfOptions(['A. A circle.', 'B. A square', 'C. red. blue'])).toEqual(new Map([['A', 'A circle'], ['B', 'A squar'], ['C', 're']]))
  expect(choicesOfOptions(['A. A circle.', 'B square'])).toBeUndefined()
})
