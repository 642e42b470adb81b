import type { EvalSample } from './benchmark.js'
import { type Choices, letterOf, parseChoice } from './multiple-choice.js'
import type { ParseChoiceOptions } from './multiple-choice.js'
import { pythonStripEnd } from '../model/tokenizer/python-strip.js'

/** What the reference writes under every question with choices. */
export const LETTER_DIRECTLY = "Answer with the option's letter from the given choices directly."

/** Judges an answer by its letter; guesses where it names none. */
export function choiceJudge(choices: Choices, expected: string, options: ParseChoiceOptions = {}): EvalSample['judge'] {
  return (answer, guess) => {
    const predicted = parseChoice(answer, choices, options) ?? guess([...choices.keys()])
    return { predicted, points: predicted === expected ? 1 : 0 }
  }
}

/** A question with its choices, as MVBench and MLVU have them. */
export interface CandidateQuestion {
  readonly question: string
  readonly candidates: readonly (string | number)[]
  readonly answer: string | number
}

/**
 * The question's text with its choices below it: `(A) …`. Source: `qa_template` of TinyLLaVA-Video's scripts.
 */
export function candidateText({ question, candidates }: CandidateQuestion): string {
  const lines = candidates.map((candidate, place) => `(${letterOf(place)}) ${candidate}\n`)
  return pythonStripEnd(`${question}\n${lines.join('')}`)
}

/** The user's turn for such a question. */
export function candidateQuestion(question: CandidateQuestion): string {
  return `<image>\n${candidateText(question)}\n${LETTER_DIRECTLY}`
}

/** The right letter: of equal candidates the last; `@`, which nothing is, where the answer is none of them. */
export function candidateLetter({ candidates, answer }: CandidateQuestion): string {
  return letterOf(candidates.lastIndexOf(answer))
}
