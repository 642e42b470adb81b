import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { IMAGE_MARKER, type Prompt, buildPrompt } from '../../../../src/model/parts/templates/prompt.js'
import { phi } from '../../../../src/model/parts/templates/phi.js'
import { templates } from '../../../../src/model/parts/templates/templates.js'
import { encodePrompt } from '../../../../src/model/tokenizer/prompt-ids.js'
import { type Tokenizer, loadTokenizer } from '../../../../src/model/tokenizer/tokenizer.js'
import { caseNames, readCase } from '../../../support/cases.js'
import { referencePath } from '../../../support/golden.js'

/** Stands for the video in a golden's ids. */
const MARKER_ID = -200

const text = ({ before, after }: Prompt): string => before + IMAGE_MARKER + after

/** What the original templates made of whole conversations; see `tests/reference/README.md`. */
interface PromptGolden {
  readonly template: string
  readonly messages: readonly (readonly [question: string, answer: string | null])[]
  readonly prompt: string
  readonly promptIds: readonly number[]
}

describe('prompts of the reference', () => {
  const { prompts } = JSON.parse(readFileSync(referencePath('prompts.json'), 'utf8')) as { prompts: readonly PromptGolden[] }
  // The runtime asks one question about one video; the goldens also hold other conversations and templates.
  const single = prompts.filter(
    ({ template, messages }) => templates.has(template) && messages.length === 1 && messages[0]?.[0].startsWith(IMAGE_MARKER) === true,
  )

  test.each(single)('$template: $messages', ({ template, messages, prompt }) => {
    expect(text(buildPrompt(templates.get(template), messages[0]?.[0] ?? ''))).toBe(prompt)
  })

  test('are there for both templates', () => {
    expect(single).toHaveLength(4)
  })
})

describe.each(caseNames)('questions of %s', (name) => {
  const { golden, checkpoint } = readCase(name)
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = await loadTokenizer(checkpoint)
  })

  test.each(Object.entries(golden.questions))('%s: same prompt, same ids', (_, { question, prompt, promptIds }) => {
    const built = buildPrompt(templates.get(golden.template), question)
    expect(text(built)).toBe(prompt)
    const { before, after } = encodePrompt(tokenizer, built)
    expect([...before, MARKER_ID, ...after]).toEqual(promptIds)
  })
})

describe('buildPrompt', () => {
  test('removes every marker, also one that appears by removing another', () => {
    expect(buildPrompt(phi, '<im<image>age>What<image>?').after).toBe('\nWhat? ASSISTANT:')
  })

  test('strips as Python does: U+001C goes, U+FEFF stays', () => {
    expect(buildPrompt(phi, '\x1c\u3000What?\ufeff\x85').after).toBe('\nWhat?\ufeff ASSISTANT:')
  })

  test('leaves out the line feed where the question is empty', () => {
    expect(buildPrompt(phi, ' \n ').after).toBe(' ASSISTANT:')
  })

  test('takes a question as text, whatever it holds', () => {
    expect(buildPrompt(phi, "$& {question} $'").after).toBe("\n$& {question} $' ASSISTANT:")
  })

  test('refuses a template that does not say where the question goes', () => {
    for (const user of ['USER: ', '{question}{question}']) {
      expect(() => buildPrompt({ ...phi, user }, 'What?')).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
    }
  })
})
