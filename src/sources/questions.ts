import { expectText } from '../checks.js'
import { StreamError } from '../errors.js'
import type { Question } from '../types.js'

/**
 * Checks the questions a source was given and returns a copy, or undefined where there are none to check.
 *
 * @throws {StreamError} `SETTING_INVALID`: not a list, or one of them is no text or empty.
 */
export function checkQuestions(questions: unknown): readonly Question[] | undefined {
  if (questions === undefined) return undefined
  // A single text would be taken apart into its characters.
  if (Array.isArray(questions)) return questions.map((question, place) => expectText(`questions[${place}]`, question))
  throw new StreamError('SETTING_INVALID', `Expected \`questions\` to be a list of texts, got ${typeof questions}.`)
}
