import { pino } from 'pino'

import type { LogLevel } from '../service/log-lines.js'
import { createLogger, logRun } from '../service/logs.js'
import type { Run } from '../service/start.js'
import { reportDropped } from './report-dropped.js'
import { reportEvents } from './report-events.js'
import type { Reporter } from './reporter.js'

/** How stderr is written. */
export interface LogFlags {
  readonly logFormat?: 'text' | 'json'
  readonly logLevel?: LogLevel | 'silent'
}

const STDERR = 2

/**
 * Chooses how stderr is written from now on: as text for people, or as JSON for a log collector.
 *
 * @returns how to tell of a run.
 */
export function openRunLog({ logFormat, logLevel }: LogFlags, reporter: Reporter): (run: Run) => void {
  const isText = logFormat === 'text' || (logFormat === undefined && process.stderr.isTTY)
  if (isText) {
    return (run) => {
      reportEvents(run.events$, reporter)
      reportDropped(run, reporter)
    }
  }
  const level = logLevel ?? (reporter.isVerbose() ? 'debug' : 'info')
  // At once: the last line before the end is the one that matters.
  const logger = createLogger({ level, destination: pino.destination({ dest: STDERR, sync: true }) })
  reporter.logTo(logger)
  return (run) => void logRun(run, logger)
}
