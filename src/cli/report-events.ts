import type { Observable } from 'rxjs'

import type { RunEvent } from '../service/events.js'
import { logLineOf } from '../service/log-lines.js'
import type { SinkNotice } from '../sinks/sink.js'
import { redactUrl } from '../sources/redact.js'
import type { SourceNotice } from '../sources/source.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'

/** Tells on stderr what a run meets, without a word of questions and answers. */
export function reportEvents(events: Observable<RunEvent>, reporter: Reporter): void {
  const progress = createProgress('building the demo model')
  events.subscribe({
    next: (event) => {
      if (event.kind === 'model-build') progress.update(event)
      else {
        if (event.kind === 'model-ready') progress.end()
        report(event, reporter)
      }
    },
    complete: () => {
      progress.end()
    },
  })
}

function report(event: RunEvent, reporter: Reporter): void {
  switch (event.kind) {
    case 'model-ready':
      reporter.detail(`model ${event.model.name} is ready: ${event.model.precision} on ${event.model.device}`)
      return
    case 'stream-start':
      reporter.detail(`stream ${event.streamId} begins`)
      return
    case 'stream-warning':
      reporter.warning(`${event.streamId}: ${event.message}`)
      return
    case 'stream-end':
      if (event.error !== undefined) reporter.failure(event.error)
      reporter.detail(`stream ${event.streamId} ended: ${event.outcome}, ${JSON.stringify(event.counts)}`)
      return
    case 'source-error':
      reporter.failure(event.error)
      return
    case 'source-added':
    case 'source-paused':
    case 'source-resumed':
    case 'source-removed':
      reporter.detail(`source ${event.sourceId} was ${event.kind.replace('source-', '')}`)
      return
    case 'source-notice': {
      // What is trouble in a log is trouble on a terminal.
      const tell = logLineOf(event)?.level === 'warn' ? reporter.warning : reporter.detail
      tell(`source ${event.sourceId}: ${noticeText(event.notice)}`)
      return
    }
    case 'sink-notice':
      reporter.warning(`sink ${event.sink}: ${noticeText(event.notice)}`)
      return
    case 'drain-timeout':
      reporter.warning(`the time for draining is over; let go: ${JSON.stringify(event.counts)}`)
      return
    default:
    // Pieces of answers are not for stderr.
  }
}

function noticeText({ message, fields }: SourceNotice | SinkNotice): string {
  return redactUrl(`${message} ${JSON.stringify(fields)}`)
}
