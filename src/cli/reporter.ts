import { inspect } from 'node:util'

import { StreamError } from '../errors.js'
import { errorFields } from '../service/log-lines.js'

/** Writes everything that is no result: to stderr, a line each. */
export interface Reporter {
  /** Says what went wrong and what to do. An error that was reported already is not said again. */
  readonly failure: (error: unknown) => void
  /** Says what is wrong with the command line. */
  readonly wrongArgument: (message: string) => void
  /** Something the user will want to use; its values are put behind the text. */
  readonly notice: (text: string, values: Readonly<Record<string, string | number>>) => void
  /** Something the user should know although it goes on. */
  readonly warning: (message: string) => void
  /** Something that only matters when looking closer. */
  readonly detail: (message: string) => void
  /** From now on: details too, and failures with their stack and causes. */
  readonly beVerbose: () => void
  readonly isVerbose: () => boolean
  /** From now on everything goes to a log of its own, a line each, and nothing to stderr. */
  readonly logTo: (log: StructuredLog) => void
}

/** What a reporter needs of a log. */
export interface StructuredLog {
  error(fields: object, text: string): void
  warn(fields: object, text: string): void
  info(fields: object, text: string): void
  debug(fields: object, text: string): void
}

/** Makes a reporter for one run of the command line. */
export function createReporter(output: NodeJS.WritableStream = process.stderr): Reporter {
  const reported = new WeakSet()
  let isVerbose = false
  let log: StructuredLog | undefined
  const write = (line: string): void => void output.write(`${line}\n`)

  return {
    failure: (error) => {
      if (error instanceof Error) {
        if (reported.has(error)) return
        reported.add(error)
      }
      if (log !== undefined) {
        log.error({ error: errorFields(error) }, 'failed')
        return
      }
      write(failureLine(error, isVerbose))
      if (isVerbose) write(inspect(error))
    },
    wrongArgument: (message) => {
      write(`tinyllava-stream: ${oneLine(message).replace(/^error: /, '')} (see --help)`)
    },
    notice: (text, values) => {
      if (log === undefined) write(oneLine([text, ...Object.values(values)].join(' ')))
      else log.info(values, text)
    },
    warning: (message) => {
      if (log === undefined) write(`warning: ${oneLine(message)}`)
      else log.warn({}, message)
    },
    detail: (message) => {
      if (log !== undefined) log.debug({}, message)
      else if (isVerbose) write(oneLine(message))
    },
    beVerbose: () => {
      isVerbose = true
    },
    isVerbose: () => isVerbose,
    logTo: (target) => {
      log = target
    },
  }
}

function failureLine(error: unknown, isVerbose: boolean): string {
  if (error instanceof StreamError) return `tinyllava-stream: ${error.code}: ${oneLine(error.message)}`
  const hint = isVerbose ? '' : ' (--verbose shows where; please report it)'
  return `tinyllava-stream: unexpected error: ${oneLine(String(error))}${hint}`
}

/** Text on one line and without control characters: a file's name must not steer the terminal. */
export function oneLine(text: string): string {
  return text.trim().replace(/[\s\p{Cc}]+/gu, ' ')
}
