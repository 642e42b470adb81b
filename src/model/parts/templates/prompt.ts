import { StreamError } from '../../../errors.js'
import type { Round } from '../../../types.js'
import { pythonStrip } from '../../tokenizer/python-strip.js'
import type { Template } from './template.js'

/** What stands for the video in a prompt's text, as in the reference. */
export const IMAGE_MARKER = '<image>'

/** Where the question goes in a template's `user` text. */
const QUESTION = '{question}'

/** A prompt's text on both sides of the video. */
export interface Prompt {
  /** Text before the visual tokens; ends in a space. */
  readonly before: string
  /** Text after the visual tokens; begins with a line feed unless the question is empty. */
  readonly after: string
  /** Where in `after` the prompts of the earlier rounds end, in UTF-16 units, ascending. @default none */
  readonly ends?: readonly number[]
}

/** A prompt that shows nothing: its whole text. */
export interface TextPrompt {
  readonly text: string
}

/** A template's text around a question; none where the model is shown no question. */
type UserTurn = { readonly opening: string; readonly closing: string } | undefined

/**
 * Builds the prompt of a question about one clip, after the earlier rounds of its conversation.
 *
 * The first turn is `<image>\n` followed by its question without any `<image>` of its own, stripped before and after as
 * Python's `str.strip` does it; later questions and answers are taken as they are, but for `<image>`: there is one video.
 * Source: TinyLLaVA-Video `data/template/base.py` (`_prompt`, `tokenizer_image_token`) and `eval/run_tiny_llava.py`, which puts
 * `<image>\n` in front.
 *
 * @param rounds What was asked and answered before, in order.
 * @throws {StreamError} `SETTING_INVALID` where the template's `user` text holds `{question}` more than once or is text
 *   without it, or where there are rounds and it takes no question.
 *
 * @example
 * ```ts
 * buildPrompt(phi, ' What <image>is it? ')
 * // { before: 'A chat … USER: ', after: '\nWhat is it? ASSISTANT:', ends: [] }
 * buildPrompt(phi, 'And then?', [{ question: 'What is it?', answer: 'A dog.' }])
 * // { before: …, after: '\nWhat is it? ASSISTANT: A dog.<|endoftext|>USER: And then? ASSISTANT:', ends: [23] }
 * ```
 */
export function buildPrompt(template: Template, question: string, rounds: readonly Round[] = []): Prompt {
  const turn = userTurn(template)
  if (turn === undefined) return buildCaption(template, rounds)
  const [first, ...later] = [...rounds.map((round) => round.question), question]
  const { text, ends } = talk({ ...template, ...turn }, [firstTurn(first), ...later.map(laterTurn)], rounds)
  return { before: template.system + turn.opening, after: text, ends }
}

/**
 * Builds the prompt of a question to the language model alone, which is shown nothing: neither a marker nor its line feed.
 * Source: TinyLLaVA_Factory `eval/model_vqa_science.py` and `data/template/base.py` (`_prompt`).
 *
 * @param rounds What was asked and answered before, in order.
 * @throws {StreamError} `SETTING_INVALID` as `buildPrompt`, and where the template takes no question.
 *
 * @example
 * ```ts
 * buildTextPrompt(phi, 'What is it?') // { text: 'A chat … USER: What is it? ASSISTANT:' }
 * ```
 */
export function buildTextPrompt(template: Template, question: string, rounds: readonly Round[] = []): TextPrompt {
  const turn = userTurn(template)
  if (turn === undefined) throw takesNoQuestion(template, 'it answers with a picture or a video only')
  const asked = [...rounds.map((round) => round.question), question]
  const { text } = talk({ ...template, ...turn }, asked.map(laterTurn), rounds)
  return { text: template.system + turn.opening + text }
}

/** All that follows what opens the first turn, and where in it the prompts of the earlier rounds end. */
function talk(
  { opening, closing, assistant, endText }: Template & NonNullable<UserTurn>,
  turns: readonly string[],
  rounds: readonly Round[],
): { readonly text: string; readonly ends: readonly number[] } {
  const ends: number[] = []
  const text = turns.reduce((before, turn, place) => {
    if (place === 0) return turn + closing + assistant
    ends.push(before.length)
    const answer = withoutMarkers(rounds[place - 1]?.answer ?? '')
    return `${before} ${answer}${endText}${opening}${turn}${closing}${assistant}`
  }, '')
  return { text, ends }
}

/** A prompt without a question: the model says what it sees. */
function buildCaption(template: Template, rounds: readonly Round[]): Prompt {
  if (rounds.length === 0) return { before: template.system, after: template.assistant }
  throw takesNoQuestion(template, 'there is no conversation with it')
}

function takesNoQuestion({ name }: Template, therefore: string): StreamError {
  return new StreamError('SETTING_INVALID', `Template \`${name}\` takes no questions: ${therefore}. Name another template.`)
}

function userTurn({ name, user }: Template): UserTurn {
  if (user === '') return undefined
  const [opening, closing, ...rest] = user.split(QUESTION)
  if (opening !== undefined && closing !== undefined && rest.length === 0) return { opening, closing }
  throw new StreamError('SETTING_INVALID', `Template \`${name}\` must hold \`${QUESTION}\` once in \`user\`.`)
}

/** What follows the video in its turn. */
function firstTurn(question: string): string {
  // The second strip takes the line feed where the question is empty.
  return pythonStrip(`${IMAGE_MARKER}\n${pythonStrip(withoutMarkers(question))}`).slice(IMAGE_MARKER.length)
}

/** The reference strips a turn that holds the marker, and only that. */
function laterTurn(question: string): string {
  return question.includes(IMAGE_MARKER) ? pythonStrip(withoutMarkers(question)) : question
}

/**
 * Removes every `<image>`, also one that comes about by removing another (`<im<image>age>`): the reference
 * removes once, and then fails on a prompt with two markers and one video.
 */
function withoutMarkers(text: string): string {
  let without = text
  while (without.includes(IMAGE_MARKER)) without = without.replaceAll(IMAGE_MARKER, '')
  return without
}
