import { expect, test } from 'vitest'
import { createRunJoiner } from '../../../src/model/tokenizer/run-joiner.js'

/** A run that holds its last token back; `.` is no text. */
const lateRun = () => {
  let held = ''
  const take = (next: string): string => {
    const text = held.replaceAll('.', '')
    held = next
    return text
  }
  return { push: take, finish: () => take('') }
}

type Step = string | { readonly added: string }

function join(steps: readonly Step[], separator: string): readonly string[] {
  const joiner = createRunJoiner(separator, lateRun)
  return [...steps.map((step) => (typeof step === 'string' ? joiner.push(step) : joiner.pushAdded(step.added))), joiner.finish()]
}

test('puts the separator between runs and added tokens, and none at the ends', () => {
  const steps = [{ added: '<1>' }, 'a', 'b', { added: '<2>' }, { added: '<3>' }, 'c']
  expect(join(steps, ' ').join('')).toBe('<1> ab <2> <3> c')
  expect(join(steps, '').join('')).toBe('<1>ab<2><3>c')
})

test('gives text as the run settles it, its rest at an added token or the end', () => {
  expect(join(['a', 'b', { added: '<1>' }, 'c'], ' ')).toEqual(['', 'a', 'b <1>', '', ' c'])
})

test('leaves out a run without text, but not the last one: what the slow tokenizers do', () => {
  expect(join(['.', { added: '<1>' }, '.', { added: '<2>' }], ' ').join('')).toBe('<1> <2>')
  expect(join([{ added: '<1>' }, '.'], ' ').join('')).toBe('<1> ')
})
