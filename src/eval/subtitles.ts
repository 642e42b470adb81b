import { z } from 'zod'

import type { DataFolder } from './data-folder.js'

/** What is said in a video, and when, in seconds from the start of the video that the stretch was cut from. */
export interface Subtitle {
  readonly start: number
  /** Undefined where the file tells none, or a whole number: then the reference takes the video's length. */
  readonly end: number | undefined
  readonly text: string
}

/** A number with a point or an exponent is Python's `float`; any other is told apart as `{ int }`. */
const numberSchema = z.union([z.number(), z.object({ int: z.number() })])

const spokenSchema = z.object({ start: z.string(), end: z.string(), line: z.string() })

const heardSchema = z.object({ timestamp: z.tuple([numberSchema, z.union([numberSchema, z.null()])]), text: z.string() })

const CLOCK = /^(\d+):(\d+):(\d+(?:\.\d*)?)$/

/**
 * Reads a file of LongVideoBench's subtitles, in both of its forms.
 *
 * @throws {StreamError} `EVAL_DATA_NOT_FOUND`, `EVAL_DATA_INVALID`.
 */
export async function readSubtitles(data: DataFolder, name: string): Promise<readonly Subtitle[]> {
  const rows = await data.json(name, z.array(z.union([heardSchema, spokenSchema])), markIntegers)
  const secondsOf = (text: string): number => {
    const [, hours, minutes, seconds] = CLOCK.exec(text) ?? []
    if (hours === undefined) throw data.invalid(name, `\`${text.slice(0, 40)}\` is no time such as 00:01:02.500`)
    return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  }
  return rows.map((row) => {
    if ('line' in row) return { start: secondsOf(row.start), end: secondsOf(row.end), text: row.line }
    const [start, end] = row.timestamp
    return { start: typeof start === 'number' ? start : start.int, end: typeof end === 'number' ? end : undefined, text: row.text }
  })
}

/** Puts whole numbers of a JSON text as `{"int":5}`: once parsed, 5 and 5.0 can't be told apart any more. */
function markIntegers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) => (/^-?\d+$/.test(token) ? `{"int":${token}}` : token))
}
