import { pythonSplit, pythonStrip } from '../model/tokenizer/python-strip.js'

/** The text of each choice by its letter, in order. */
export type Choices = ReadonlyMap<string, string>

/** How an answer is read. */
export interface ParseChoiceOptions {
  /**
   * Whether an answer that begins with a choice's letter is that choice, whatever follows: so in the video benchmarks,
   * and not in MMMU, which leaves blanks around an answer, too.
   *
   * @default true
   */
  readonly byFirstLetter?: boolean
}

/** Marks that are taken off both ends, each once and in this order. */
const MARKS = [',', '.', '!', '?', ';', ':', "'"]

/** An answer of more words than this may name a choice by its text. */
const FEW_WORDS = 5

/**
 * Finds out which choice an answer means: by its first letter, by a letter in brackets, by a letter alone, by the text
 * of a choice; of several the last.
 *
 * Source: `parse_multi_choice_response` of TinyLLaVA-Video's and the Factory's evaluation scripts.
 *
 * @returns the letter; undefined where the reference guesses (or, where nothing is left of the answer, mostly fails).
 */
export function parseChoice(answer: string, choices: Choices, options: ParseChoiceOptions = {}): string | undefined {
  const { byFirstLetter = true } = options
  const bare = MARKS.reduce(stripMark, byFirstLetter ? pythonStrip(answer) : answer)
  const [first] = bare
  if (byFirstLetter && first !== undefined && choices.has(first)) return first

  const text = ` ${bare} `
  const letters = [...choices.keys()]
  const named = lastNamed(text, letters.map((letter) => [letter, `(${letter})`])) ?? lastNamed(text, letters.map((letter) => [letter, ` ${letter} `]))
  if (named !== undefined || pythonSplit(text).length <= FEW_WORDS) return named
  return lastNamed(text.toLowerCase(), [...choices].map(([letter, content]) => [letter, content.toLowerCase()]))
}

/** Removes one character from both ends, as Python's `str.strip` does with it. */
function stripMark(text: string, mark: string): string {
  let [start, end] = [0, text.length]
  while (start < end && text[start] === mark) start += 1
  while (end > start && text[end - 1] === mark) end -= 1
  return text.slice(start, end)
}

/** The letter whose sign stands last in a text; of two that end at one place the first. */
function lastNamed(text: string, signs: readonly (readonly [letter: string, sign: string])[]): string | undefined {
  let [found, last]: [string | undefined, number] = [undefined, -1]
  for (const [letter, sign] of signs) {
    const place = text.lastIndexOf(sign)
    if (place > last) [found, last] = [letter, place]
  }
  return found
}

/** Letters for a list of choices: A, B, C, … */
export function letterOf(place: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + place)
}

/** Choices by letter, of texts in order. */
export function choicesOf(texts: readonly string[]): Choices {
  return new Map(texts.map((text, place) => [letterOf(place), text]))
}

/**
 * Choices of options that carry their letter, `A. A circle.`: the text is what stands between the first and the second
 * `. `, without its last character, whatever that is. Source: `select_from_options` of TinyLLaVA-Video's scripts.
 *
 * @returns undefined where an option lacks its `. `.
 */
export function choicesOfOptions(options: readonly string[]): Choices | undefined {
  const choices = new Map<string, string>()
  for (const option of options) {
    const text = option.split('. ')[1]
    if (text === undefined) return undefined
    choices.set(option.split('.')[0] ?? '', Array.from(text).slice(0, -1).join(''))
  }
  return choices
}
