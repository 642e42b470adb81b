import type { ServerResponse } from 'node:http'

import type { Result } from '../../envelope.js'
import { StreamError } from '../../errors.js'
import type { ObservedRun } from '../observed-run.js'
import { AnswerReader, eventText } from './answer-reader.js'
import type { AnswerReaderSettings } from './answer-reader.js'

/** Which results a reader wants; an empty list: all. */
export interface AnswerFilter {
  readonly kinds: readonly string[]
  /** Ids of streams. */
  readonly sources: readonly string[]
}

/** What a reader asked for. */
export interface AnswerRequest {
  readonly filter: AnswerFilter
  /** The last event that the reader saw on an earlier connection. */
  readonly lastEventId?: string | undefined
}

/** Bounds of all readers together, and of each. */
export interface AnswerReadersSettings extends AnswerReaderSettings {
  readonly maxClients: number
  readonly heartbeatMs: number
}

/** Everybody who reads the results of a run as server-sent events. */
export interface AnswerReaders {
  /** Sends results from now on until the reader goes, or the run is over. @throws {StreamError} `HTTP_BUSY` */
  add(response: ServerResponse, request: AnswerRequest): void
  /** Says goodbye to all. */
  close(): void
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // The end of the events is the end of the connection.
  connection: 'close',
  // A proxy must not gather events.
  'x-accel-buffering': 'no',
} as const

/** Hands the results of a run to readers. A result is turned into text once, and only where anybody reads. */
export function createAnswerReaders(run: Pick<ObservedRun, 'answers$'>, settings: AnswerReadersSettings): AnswerReaders {
  const readers = new Map<AnswerReader, AnswerFilter>()
  let isOver = false
  const sendResult = (result: Result): void => {
    const wanting = [...readers].filter(([, filter]) => isWanted(result, filter))
    if (wanting.length === 0) return
    const text = eventText({ event: result.kind, id: result.id, data: result })
    for (const [reader] of wanting) reader.send(text)
  }
  const end = (): void => {
    isOver = true
    clearInterval(heartbeat)
    for (const reader of readers.keys()) reader.end(eventText({ event: 'end', data: {} }))
  }
  const heartbeat = setInterval(() => {
    for (const reader of readers.keys()) reader.send(': alive\n\n')
  }, settings.heartbeatMs)
  heartbeat.unref()
  const watching = run.answers$.subscribe({ next: sendResult, complete: end })

  return {
    add: (response, { filter, lastEventId }) => {
      if (isOver) throw new StreamError('ABORTED', 'The run is over: no answer comes any more.')
      if (readers.size >= settings.maxClients) {
        throw new StreamError('HTTP_BUSY', `There are ${settings.maxClients} readers of answers already: try later.`)
      }
      const reader = new AnswerReader(response, settings)
      readers.set(reader, filter)
      response.on('close', () => readers.delete(reader))
      response.writeHead(200, HEADERS)
      reader.send(welcome(lastEventId))
    },
    close: () => {
      watching.unsubscribe()
      end()
    },
  }
}

function isWanted(result: Result, { kinds, sources }: AnswerFilter): boolean {
  const isKind = kinds.length === 0 || kinds.includes(result.kind)
  return isKind && (sources.length === 0 || sources.includes(result.source.id))
}

/** Somebody who comes again must know that there is a gap. */
function welcome(lastEventId: string | undefined): string {
  if (lastEventId === undefined) return ': answers from now on\n\n'
  const message = 'Nothing is replayed: what came after the last event that you saw is not sent again. Read a sink for all.'
  return eventText({ event: 'gap', data: { lastEventId, message } })
}
