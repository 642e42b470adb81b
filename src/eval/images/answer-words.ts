import { pythonSplit, pythonStrip } from '../../model/tokenizer/python-strip.js'
import { CONTRACTIONS } from './contractions.js'

/** Number words by their figures. */
const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
const FIGURES = new Map([['none', '0'], ...NUMBERS.map((word, figure) => [word, `${figure}`] as const)])

const ARTICLES = new Set(['a', 'an', 'the'])

/** Marks that are taken out, or put as blanks where they stand within a word. */
const MARKS = Array.from(';/[]"{}()=+\\_->@`,?!<')

/** So many full stops are taken out, and no more: an accident of the reference that is part of the score. */
const MOST_STOPS = 32

/**
 * Brings an answer into the form in which VQA's evaluation server compares answers: lower case, no punctuation, no
 * articles, figures for number words, contractions with their apostrophe.
 *
 * Source: Factory `eval/m4c_evaluator.py` (`EvalAIAnswerProcessor`), which repeats the server's rules.
 */
export function processAnswer(answer: string): string {
  const bare = pythonStrip(answer.toLowerCase().replaceAll(',', '').replaceAll('?', '').replaceAll("'s", " 's"))
  const oneLine = pythonStrip(bare.replaceAll('\n', ' ').replaceAll('\t', ' '))
  return processWords(withoutStops(MARKS.reduce((text, mark) => withoutMark(text, mark, oneLine), oneLine)))
}

/** @param original What it is looked up in whether the mark ever stands beside a blank. */
function withoutMark(text: string, mark: string, original: string): string {
  const isBesideBlank = original.includes(`${mark} `) || original.includes(` ${mark}`)
  return text.replaceAll(mark, isBesideBlank ? '' : ' ')
}

/** Takes out full stops that no digit follows. */
function withoutStops(text: string): string {
  let stops = 0
  return text.replace(/\.(?!\p{Nd})/gu, (stop) => ((stops += 1) > MOST_STOPS ? stop : ''))
}

function processWords(text: string): string {
  const words = pythonSplit(text.toLowerCase()).map((word) => FIGURES.get(word) ?? word)
  return words.filter((word) => !ARTICLES.has(word)).map((word) => CONTRACTIONS.get(word) ?? word).join(' ')
}
