import type { Circuit } from './webhook-circuit.js'
import type { Letter, Outcome } from './webhook-request.js'

/** What a sender is made of. */
export interface SenderSetup {
  readonly circuit: Circuit
  /** Answers other than success after which a result counts as refused. */
  readonly maxAttempts: number | undefined
  /** Sends a result once. */
  readonly post: (letter: Letter, stop: AbortSignal) => Promise<Outcome>
  /** Takes what the other end refuses. */
  readonly refuse: (letter: Letter, reason: string) => Promise<void>
}

/** How sending one result ended; `settled`: delivered, or refused and noted. */
export type SendEnd = 'settled' | 'circuit-open' | 'stopped'

/** Sends one result at a time, again and again until it is settled. */
export class WebhookSender {
  readonly #setup: SenderSetup

  constructor(setup: SenderSetup) {
    this.#setup = setup
  }

  /**
   * Sends a result until it is settled.
   *
   * @param letter The result.
   * @param stop Gives up waiting, and the request under way.
   * @param untilOpen Gives up, too, when the circuit opens. @default false
   */
  async send(letter: Letter, stop: AbortSignal, { untilOpen = false } = {}): Promise<SendEnd> {
    const { circuit, maxAttempts = Infinity, post, refuse } = this.#setup
    for (let answers = 0; ; ) {
      if (untilOpen && circuit.isOpen) return 'circuit-open'
      await circuit.whenReady(stop)
      if (stop.aborted) return 'stopped'
      const outcome = await post(letter, stop)
      if (outcome.kind === 'failed') {
        // A request that was broken off by `stop` says nothing about the other end.
        if (isAborted(stop)) return 'stopped'
        answers += outcome.isAnswered ? 1 : 0
        circuit.failed(outcome.reason, outcome.retryAfterMs)
        if (answers < maxAttempts) continue
        await refuse(letter, `${outcome.reason}, ${answers} times`)
        return 'settled'
      }
      circuit.answered()
      if (outcome.kind === 'refused') await refuse(letter, outcome.reason)
      return 'settled'
    }
  }
}

/** Asked anew: it may have been aborted since. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
