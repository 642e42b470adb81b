import { LETTER_DIRECTLY } from './questions.js'
import type { Subtitle } from './subtitles.js'

/** Frames by their place, and what is said between them, in order. */
export type Interleaved = readonly (number | string)[]

/** What ties subtitles to frames. */
export interface SubtitleSpan {
  /** Where the video begins in the one that it was cut from, in seconds. */
  readonly startsAt: number
  /** Length of the video, in seconds. */
  readonly duration: number
}

/** Subtitles shorter than this are taken to be as long, in seconds. */
const SHORTEST = 1

/**
 * Puts subtitles between frames: each after the frames up to its middle, and only if a frame is shown while it is.
 * Source: TinyLLaVA-Video `eval/lvbenchdataset.py` (`insert_subtitles_into_frames`).
 *
 * @param times When each frame is shown, in seconds.
 */
export function interleave(times: readonly number[], subtitles: readonly Subtitle[], span: SubtitleSpan): Interleaved {
  const inOrder: (number | string)[] = []
  let next = 0
  for (const subtitle of subtitles) {
    const { start, end, middle } = stretchOf(subtitle, span)
    while (next < times.length && (times[next] ?? 0) <= middle) inOrder.push(next++)
    if (times.some((time) => time < end && time > start)) inOrder.push(subtitle.text)
  }
  while (next < times.length) inOrder.push(next++)
  return inOrder
}

function stretchOf(subtitle: Subtitle, { startsAt, duration }: SubtitleSpan): { start: number; end: number; middle: number } {
  const start = subtitle.start - startsAt
  const end = (subtitle.end ?? duration) - startsAt
  const middle = (start + end) / 2
  if (end - start >= SHORTEST) return { start, end, middle }
  return { start: middle - SHORTEST / 2, end: middle + SHORTEST / 2, middle }
}

const QUESTION = 'Question:'

/**
 * The user's turn of LongVideoBench, and how many frames come with it.
 *
 * The reference looks for the first text that begins with `Question:`. That is meant to be the question, but may be a
 * subtitle: then the frames behind it are lost, and it stands before the question. Of a text with several `Question: `
 * what follows the last one counts. Source: TinyLLaVA-Video `eval/eval_lvbench.py`.
 */
export function longVideoQuestion(
  shownAndSaid: Interleaved,
  question: string,
  options: readonly string[],
): { readonly shown: number; readonly question: string } {
  const parts = [...shownAndSaid, `${QUESTION} ${question}`, ...options, LETTER_DIRECTLY]
  const first = parts.findIndex((part) => typeof part === 'string' && part.startsWith(QUESTION))
  const before = parts.slice(0, first)
  const subtitles = before.map((part) => (typeof part === 'number' ? '[image]' : part)).join('')
  const asked = parts.slice(first).filter((part) => typeof part === 'string').map(lastQuestion)
  return {
    shown: before.filter((part) => typeof part === 'number').length,
    question: `subtitles:${subtitles}\nquestion: <image>\n${asked.join('\n')}`,
  }
}

function lastQuestion(part: string): string {
  return part.startsWith(QUESTION) ? (part.split(`${QUESTION} `).at(-1) ?? '') : part
}
