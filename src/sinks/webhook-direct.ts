import { StreamError } from '../errors.js'
import type { Letter } from './webhook-request.js'
import type { WebhookSender } from './webhook-sender.js'

/** How results get to the other end. */
export interface Delivery {
  /** Resolves when the result is safe; rejects once `stop` was called before that. */
  write(letter: Letter): Promise<void>
  /** Resolves once nothing is left to be sent. */
  whenSent(): Promise<void>
  /** Gives up what is left; rejects where something can't be kept. */
  stop(): Promise<void>
}

/** Sends each result before it takes the next: while the other end is down, the pipeline waits. */
export class DirectDelivery implements Delivery {
  readonly #sender: WebhookSender
  readonly #stop = new AbortController()
  #writing: Promise<unknown> = Promise.resolve()
  #failure: StreamError | undefined

  constructor(sender: WebhookSender) {
    this.#sender = sender
  }

  write(letter: Letter): Promise<void> {
    const writing = this.#write(letter)
    this.#writing = writing.catch(() => undefined)
    return writing
  }

  async whenSent(): Promise<void> {
    await this.#writing
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  async #write(letter: Letter): Promise<void> {
    if ((await this.#sender.send(letter, this.#stop.signal)) !== 'stopped') return
    this.#failure = notDelivered(letter)
    throw this.#failure
  }
}

/** The error of a result that was given up. */
export function notDelivered({ id }: Letter): StreamError {
  return new StreamError('SINK_FAILED', `The result ${id} was not delivered before the webhook was closed.`)
}
