import { pino } from 'pino'
import { Subscription, distinctUntilChanged, interval } from 'rxjs'
import type { Observable } from 'rxjs'

import { redactUrl } from '../sources/redact.js'
import { packageVersion } from '../version.js'
import type { RunEvent } from './events.js'
import { logLineOf } from './log-lines.js'
import type { LogLevel } from './log-lines.js'
import type { ObservedRun } from './observed-run.js'
import { newlyDropped } from './newly-dropped.js'

/** Where a log goes, and how much of it. */
export interface LoggerOptions {
  /** @default 'info' */
  readonly level?: LogLevel | 'silent'
  /** @default stdout */
  readonly destination?: { write(line: string): unknown }
}

/** What `logRun` writes to: a log of `createLogger`, of pino, or anything like them. */
export type RunLog = Readonly<Record<LogLevel, (fields: object, text: string) => void>>

/** How a run is logged. */
export interface LogRunOptions {
  /** When to sum up the frames that were dropped since: not a line a frame. @default every 10 seconds */
  readonly dropSummaries?: Observable<unknown>
}

/** Fields that hold a secret wherever they are. */
const SECRETS = ['password', 'token', 'secret', 'authorization']
const DROP_SUMMARY_MS = 10_000

/**
 * Makes a log of JSON, one line an event: `level`, `time` (ISO 8601), `msg` (static text), values in fields.
 *
 * Logins in addresses and the values of fields named `password`, `token`, `secret` or `authorization` are
 * hidden.
 */
export function createLogger({ level = 'info', destination = pino.destination(1) }: LoggerOptions = {}): RunLog {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '***' },
      formatters: { level: (label) => ({ level: label }), log: redactFields },
    },
    destination,
  )
}

/**
 * Logs what happens to a run, from now to its end. Questions and answers are not in it.
 *
 * @example
 * ```ts
 * const run = start(pipeline)
 * logRun(run, createLogger())
 * ```
 *
 * @param logger One of `createLogger`, or any other of pino.
 */
export function logRun(
  run: ObservedRun,
  logger: RunLog,
  { dropSummaries = interval(DROP_SUMMARY_MS) }: LogRunOptions = {},
): Subscription {
  const sources = run.sources.list().map(({ id, kind }) => ({ id, kind }))
  logger.info({ version: packageVersion(), sources, sinks: run.status().sinks.map(({ kind }) => kind) }, 'the run begins')
  const watching = new Subscription()
  const dropped = newlyDropped(run.sources)
  watching.add(
    dropSummaries.subscribe(() => {
      for (const { streamId, reasons } of dropped()) logger.warn({ streamId, dropped: reasons }, 'frames were dropped')
    }),
  )
  watching.add(
    run.events$.pipe(distinctUntilChanged(isSameStage)).subscribe({
      next: (event) => {
        const found = logLineOf(event)
        if (found !== undefined) logger[found.level](found.fields, found.text)
      },
      complete: () => {
        logger.info({ totals: run.status().totals }, 'the run is over')
        watching.unsubscribe()
      },
    }),
  )
  return watching
}

/** Building reports every few megabytes; a line a stage is enough. */
function isSameStage(before: RunEvent, event: RunEvent): boolean {
  return before.kind === 'model-build' && event.kind === 'model-build' && before.stage === event.stage
}

/** Hides logins in every text, however deep. */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redactValue(value)]))
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redactUrl(value)
  if (Array.isArray(value)) return value.map(redactValue)
  return typeof value === 'object' && value !== null ? redactFields({ ...value }) : value
}
