import type { QuestionKind } from './questions.js'

/** How much of an answer is right. */
export interface Score {
  /** Right slots: 0 or 1 for a short answer, more for a description. */
  readonly right: number
  /** Slots looked at, never 0. */
  readonly total: number
}

/** What a description says of one shape, in the order of the sentence. Absent parts are empty. */
interface Slots {
  readonly size: string
  readonly colour: string
  readonly kind: string
  readonly arrival: string
  readonly motion: string
  readonly turn: string
}

const SLOT_NAMES = ['size', 'colour', 'kind', 'arrival', 'motion', 'turn'] as const satisfies readonly (keyof Slots)[]

const SENTENCE =
  /^a (?<size>small|large) (?<colour>\w+) (?<kind>\w+)(?: appears (?<arrival>in the middle|at the end) and)? (?<motion>moves to the left|moves to the right|moves up|moves down|stays still)(?: and turns (?<turn>\w+))?$/

/**
 * Compares an answer with the expected one; case, spaces and a final full stop don't count.
 *
 * Short answers are right or wrong. A description has six slots a shape: size, colour, kind, arrival, motion and new
 * colour. A sentence that isn't of the expected form has none right, a missing or an additional one as well.
 */
export function scoreAnswer(kind: QuestionKind, expected: string, actual: string): Score {
  if (kind !== 'describe') return { right: normalised(expected) === normalised(actual) ? 1 : 0, total: 1 }

  const wanted = parse(expected)
  const given = parse(actual)
  const right = wanted.reduce((sum, slots, place) => sum + matches(slots, given[place]), 0)
  return { right, total: SLOT_NAMES.length * Math.max(wanted.length, given.length, 1) }
}

function normalised(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, ' ').replace(/\.$/, '')
}

function parse(description: string): readonly (Slots | undefined)[] {
  return normalised(description)
    .split('.')
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
    .map((sentence) => {
      const { size, colour, kind, arrival, motion, turn } = SENTENCE.exec(sentence)?.groups ?? {}
      if (size === undefined || colour === undefined || kind === undefined || motion === undefined) return undefined
      return { size, colour, kind, arrival: arrival ?? '', motion, turn: turn ?? '' }
    })
}

function matches(wanted: Slots | undefined, given: Slots | undefined): number {
  if (wanted === undefined || given === undefined) return 0
  return SLOT_NAMES.filter((name) => wanted[name] === given[name]).length
}
