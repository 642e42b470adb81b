import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { IMAGE_MARKER, type Prompt, buildPrompt, buildTextPrompt } from '../../../../src/model/parts/templates/prompt.js'
import { phi } from '../../../../src/model/parts/templates/phi.js'
import { templates } from '../../../../src/model/parts/templates/templates.js'
import { encodePrompt } from '../../../../src/model/tokenizer/prompt-ids.js'
import { loadTokenizer } from '../../../../src/model/tokenizer/load-tokenizer.js'
import type { Tokenizer } from '../../../../src/model/tokenizer/tokenizer.js'
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
  // The runtime asks about one video or none; the goldens also hold prompts with two, and `pretrain`, which is broken in evaluation.
  const single = prompts.filter(
    ({ template, messages }) => template !== 'pretrain' && messages.length === 1 && messages[0]?.[0].startsWith(IMAGE_MARKER) === true,
  )

  test.each(single)('$template: $messages', ({ template, messages, prompt }) => {
    expect(text(buildPrompt(templates.get(template), messages[0]?.[0] ?? ''))).toBe(prompt)
  })

  test('are there for each template of clips', () => {
    expect(single).toHaveLength(6)
  })

  const alone = prompts.filter(({ template, messages }) => template !== 'pretrain' && messages.every(([question]) => !question.includes(IMAGE_MARKER)))

  test.each(alone)('without a video, $template: $messages', ({ template, messages, prompt }) => {
    const rounds = messages.slice(0, -1).map(([question, answer]) => ({ question, answer: answer ?? '' }))
    expect(buildTextPrompt(templates.get(template), messages.at(-1)?.[0] ?? '', rounds).text).toBe(prompt)
  })

  test('are there without a video, with one round and two', () => {
    expect(alone.map(({ messages }) => messages.length).sort()).toEqual([1, 1, 1, 2, 2, 2])
  })
})

describe('conversations of the reference', () => {
  const { prompts, pretrain: trained } = JSON.parse(readFileSync(referencePath('conversations.json'), 'utf8')) as {
    prompts: readonly (PromptGolden & { readonly tokenizer: string })[]
    pretrain: string
  }

  test.each(prompts)('$template with the tokenizer of $tokenizer: $messages', async ({ template, tokenizer, messages, prompt, promptIds }) => {
    const rounds = messages.slice(0, -1).map(([question, answer]) => ({ question, answer: answer ?? '' }))
    const built = buildPrompt(templates.get(template), messages.at(-1)?.[0] ?? '', rounds)
    expect(text(built)).toBe(prompt)
    const { before, after, ends } = encodePrompt(await loadTokenizer(referencePath(tokenizer)), built)
    expect([...before, MARKER_ID, ...after]).toEqual(promptIds)
    // Each round can begin with what was taken in for the one before it, but where each text ends with an EOS.
    expect(ends).toHaveLength(tokenizer === 'tokenizers/llama-legacy' ? 0 : rounds.length)
  })

  test('are there for each template of the Factory, with one to three rounds', () => {
    expect(new Set(prompts.map(({ template }) => template))).toEqual(new Set(['llama', 'gemma', 'phi', 'qwen2_base', 'qwen2_instruct']))
    expect(new Set(prompts.map(({ messages }) => messages.length))).toEqual(new Set([1, 2, 3]))
  })

  test('a model of the first stage is shown no question, and says what it was trained to', () => {
    const pretrain = templates.get('pretrain')
    expect(`${text(buildPrompt(pretrain, 'Describe it.'))}A red circle.${pretrain.endText}`).toBe(trained)
    const rounds = [{ question: 'What?', answer: 'That.' }]
    expect(() => buildPrompt(pretrain, 'And?', rounds)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
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

  test('says where the prompts of earlier rounds end', () => {
    const rounds = [{ question: 'What?', answer: 'A dog.' }, { question: ' Which? ', answer: 'That.' }]
    const { after, ends = [] } = buildPrompt(phi, 'Why?', rounds)
    expect(ends.map((end) => after.slice(0, end))).toEqual([
      '\nWhat? ASSISTANT:',
      '\nWhat? ASSISTANT: A dog.<|endoftext|>USER:  Which?  ASSISTANT:',
    ])
    expect(after).toBe(`${after.slice(0, ends[1])} That.<|endoftext|>USER: Why? ASSISTANT:`)
  })

  test('there is one video: markers in later questions and in answers go', () => {
    const rounds = [{ question: 'What?', answer: 'An <im<image>age>apple.' }]
    expect(buildPrompt(phi, ' Is <image> it? ', rounds).after).toBe('\nWhat? ASSISTANT: An apple.<|endoftext|>USER: Is  it? ASSISTANT:')
  })

  test('without a video there is no marker in a question, and no template without a question', () => {
    expect(buildTextPrompt(phi, ' Is <image> it? ').text).toBe(`${phi.system}USER: Is  it? ASSISTANT:`)
    expect(() => buildTextPrompt(templates.get('pretrain'), 'What?')).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })

  test('refuses a template that does not say where the question goes', () => {
    for (const user of ['USER: ', '{question}{question}']) {
      expect(() => buildPrompt({ ...phi, user }, 'What?')).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
    }
  })
})
