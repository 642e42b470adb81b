import { StreamError } from '../../../errors.js'
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
}

/**
 * Builds the prompt of one question about one clip.
 *
 * The question's turn is `<image>\n` followed by the question without any `<image>` of its own, stripped
 * before and after as Python's `str.strip` does it. Source: TinyLLaVA-Video `data/template/base.py`
 * (`_prompt`, `tokenizer_image_token`) and `eval/run_tiny_llava.py`, which puts `<image>\n` in front.
 *
 * @throws {StreamError} `SETTING_INVALID` where the template's `user` text doesn't hold `{question}` exactly once.
 *
 * @example
 * ```ts
 * buildPrompt(phi, ' What <image>is it? ')
 * // { before: 'A chat … USER: ', after: '\nWhat is it? ASSISTANT:' }
 * ```
 */
export function buildPrompt(template: Template, question: string): Prompt {
  const [opening, closing, ...rest] = template.user.split(QUESTION)
  if (opening === undefined || closing === undefined || rest.length > 0) {
    throw new StreamError('SETTING_INVALID', `Template \`${template.name}\` must hold \`${QUESTION}\` once in \`user\`.`)
  }
  // The second strip takes the line feed where the question is empty.
  const turn = pythonStrip(`${IMAGE_MARKER}\n${pythonStrip(withoutMarkers(question))}`)
  return {
    before: template.system + opening,
    after: turn.slice(IMAGE_MARKER.length) + closing + template.assistant,
  }
}

/**
 * Removes every `<image>`, also one that comes about by removing another (`<im<image>age>`): the reference
 * removes once, and then fails on a prompt with two markers and one video.
 */
function withoutMarkers(question: string): string {
  let text = question
  while (text.includes(IMAGE_MARKER)) text = text.replaceAll(IMAGE_MARKER, '')
  return text
}
