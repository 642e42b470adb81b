import { parse } from 'node:path'

/** The names of files that were put aside, for one live file. */
export interface RotatedNames {
  /** A name that sorts behind all that are there; by the clock, if it goes on. */
  next(found: readonly string[], nowMs: number): string
  /** Put aside, not compressed. */
  isRotated(name: string): boolean
  /** Put aside, compressed or not. */
  isOld(name: string): boolean
  /** A compressed file that isn't whole yet. */
  isHalfCompressed(name: string): boolean
}

/** As in ISO 8601, but for the colons, which some file systems don't take. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3}Z)$/

/** `answers.jsonl` → `answers-2026-11-23T10-15-00.000Z.jsonl`, `….jsonl.gz`, `….jsonl.gz.part`. */
export function rotatedNames(liveName: string): RotatedNames {
  const { name, ext } = parse(liveName)
  /** The time in a name with this ending, in milliseconds since 1970. */
  const timeIn = (found: string, end: string): number | undefined => {
    if (!found.startsWith(`${name}-`) || !found.endsWith(`${ext}${end}`)) return undefined
    const text = found.slice(name.length + 1, found.length - ext.length - end.length)
    const [, hour, minutes, seconds] = TIME.exec(text) ?? []
    const time = hour === undefined ? NaN : Date.parse(`${hour}:${minutes ?? ''}:${seconds ?? ''}`)
    return Number.isNaN(time) ? undefined : time
  }
  const timeOf = (found: string): number | undefined => timeIn(found, '') ?? timeIn(found, '.gz')

  return {
    next: (found, nowMs) => {
      const latest = found.reduce((most, one) => Math.max(most, timeOf(one) ?? -Infinity), -Infinity)
      const time = new Date(Math.max(nowMs, latest + 1)).toISOString().replaceAll(':', '-')
      return `${name}-${time}${ext}`
    },
    isRotated: (found) => timeIn(found, '') !== undefined,
    isOld: (found) => timeOf(found) !== undefined,
    isHalfCompressed: (found) => timeIn(found, '.gz.part') !== undefined,
  }
}
