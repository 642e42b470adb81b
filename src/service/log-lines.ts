import { StreamError } from '../errors.js'
import type { RunEvent } from './events.js'

/** How much a line matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One line of a log: the text is the same for every event of its kind, values are in fields. */
export interface LogLine {
  readonly level: LogLevel
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Notices that come again and again, and are figures. */
const FIGURES: ReadonlySet<string> = new Set(['kafka-lag', 'kafka-lag-over'])
/** Notices of something that went wrong. */
const TROUBLES: ReadonlySet<string> = new Set(['reconnect', 'frozen', 'dead-letter', 'kafka-retry', 'messages-expired'])

/** The line of an event; none for pieces of answers, which may be private. */
export function logLineOf(event: RunEvent): LogLine | undefined {
  switch (event.kind) {
    case 'model-build':
      return line('info', 'building the demo model', { stage: event.stage, totalBytes: event.totalBytes })
    case 'model-ready': {
      const { name, digest, precision, device } = event.model
      return line('info', 'the model is ready', { model: name, digest, precision, device })
    }
    case 'source-added':
    case 'source-paused':
    case 'source-resumed':
    case 'source-removed':
      return line('info', event.kind.replace('-', ' '), { sourceId: event.sourceId })
    case 'source-notice': {
      const { kind, message, fields } = event.notice
      return line(levelOf(kind), 'source notice', { ...fields, sourceId: event.sourceId, notice: kind, detail: message })
    }
    case 'source-error':
      return line('error', 'a source failed', { sourceId: event.sourceId, error: errorFields(event.error) })
    case 'stream-start':
      return line('info', 'a stream begins', { streamId: event.streamId, epoch: event.epoch })
    case 'stream-warning':
      return line('warn', 'a stream is defective', { streamId: event.streamId, detail: event.message })
    case 'stream-end': {
      const { streamId, outcome, counts, error } = event
      if (error === undefined) return line('info', 'a stream ended', { streamId, outcome, counts })
      return line('error', 'a stream ended', { streamId, outcome, counts, error: errorFields(error) })
    }
    case 'sink-notice': {
      const { kind, message, fields } = event.notice
      return line('warn', 'sink notice', { ...fields, sink: event.sink, notice: kind, detail: message })
    }
    case 'drain-start':
      return line('info', 'draining', { timeoutMs: event.timeoutMs })
    case 'drain-timeout':
      return line('warn', 'the time for draining is over', { counts: event.counts })
    default:
      return undefined
  }
}

/** What a log says of an error; the stack only where it leads to a mistake in code. */
export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof StreamError) return { code: error.code, message: error.message, canRetry: error.canRetry }
  if (error instanceof Error) return { code: 'UNEXPECTED', message: String(error), stack: error.stack }
  return { code: 'UNEXPECTED', message: String(error) }
}

function line(level: LogLevel, text: string, fields: LogLine['fields']): LogLine {
  return { level, text, fields }
}

function levelOf(notice: string): LogLevel {
  if (FIGURES.has(notice)) return 'debug'
  return TROUBLES.has(notice) ? 'warn' : 'info'
}
