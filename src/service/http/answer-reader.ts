import type { ServerResponse } from 'node:http'

/** Bounds of one reader. */
export interface AnswerReaderSettings {
  /** Bytes that may wait for the reader. */
  readonly maxBufferedBytes: number
  /** Milliseconds that a reader that was cut off has to take what waits for it. */
  readonly goodbyeMs: number
}

/** One event of a stream of server-sent events. Its data is one line. */
export function eventText({ event, id, data }: { event: string; id?: string; data: unknown }): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`
  return `event: ${event}\n${idLine}data: ${JSON.stringify(data)}\n\n`
}

/** Somebody who reads server-sent events; one who is too slow is cut off, and memory doesn't grow. */
export class AnswerReader {
  readonly #response: ServerResponse
  readonly #settings: AnswerReaderSettings
  #goodbye: NodeJS.Timeout | undefined

  constructor(response: ServerResponse, settings: AnswerReaderSettings) {
    this.#response = response
    this.#settings = settings
    // A reader that goes away is no failure of ours.
    response.on('error', () => undefined)
    response.on('close', () => {
      clearTimeout(this.#goodbye)
    })
  }

  /** Sends text, or cuts off a reader for whom too much waits already. */
  send(text: string): void {
    if (this.#response.writableEnded) return
    if (this.#response.writableLength <= this.#settings.maxBufferedBytes) {
      this.#response.write(text)
      return
    }
    const message = 'You read too slowly: what came since is lost. Connect again for what comes from then on.'
    this.end(eventText({ event: 'cut-off', data: { message } }))
  }

  /** Says goodbye, and lets go of a reader who doesn't take even that. */
  end(text: string): void {
    if (this.#response.writableEnded) return
    this.#response.end(text)
    if (this.#response.writableFinished) return
    this.#goodbye = setTimeout(() => this.#response.destroy(), this.#settings.goodbyeMs)
    this.#goodbye.unref()
  }
}
