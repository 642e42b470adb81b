import type { SinkNotice } from './sink.js'
import type { WebhookSettings } from './webhook-settings.js'
import type { SinkTime } from './webhook-time.js'

/** What a part of the webhook tells of; `shownUrl` is added to the fields. */
export type NotifyWebhook = (notice: Omit<SinkNotice, 'sink'>) => void

type CircuitSettings = Pick<WebhookSettings, 'retry' | 'circuit' | 'shownUrl'>

/**
 * Says when the next request may begin: at once while all goes well, later and later after failures, and
 * every `probeEveryMs` once the circuit is open.
 */
export class Circuit {
  readonly #settings: CircuitSettings
  readonly #time: SinkTime
  readonly #notify: NotifyWebhook
  #failuresInARow = 0
  #openedMs: number | undefined
  /** How long to wait, and since when. */
  #pause = { sinceMs: 0, ms: 0 }

  constructor(settings: CircuitSettings, time: SinkTime, notify: NotifyWebhook) {
    this.#settings = settings
    this.#time = time
    this.#notify = notify
  }

  get isOpen(): boolean {
    return this.#openedMs !== undefined
  }

  /** Resolves when the next request may begin, or once the signal is aborted. */
  async whenReady(signal: AbortSignal): Promise<void> {
    const { sinceMs, ms } = this.#pause
    const goneMs = this.#time.now() - sinceMs
    // A clock that was set back doesn't make the wait longer than it was meant to be.
    const leftMs = Math.min(ms, ms - goneMs)
    if (leftMs > 0) await this.#time.wait(leftMs, signal)
  }

  /** The other end took a request, or refused it for a reason of its own: it works. */
  answered(): void {
    this.#failuresInARow = 0
    this.#pause = { sinceMs: 0, ms: 0 }
    if (this.#openedMs === undefined) return
    const downMs = this.#time.now() - this.#openedMs
    this.#openedMs = undefined
    this.#notify({
      kind: 'sink-circuit-closed',
      message: `${this.#settings.shownUrl} answers again.`,
      fields: { downMs },
    })
  }

  failed(reason: string, retryAfterMs = 0): void {
    const { retry, circuit } = this.#settings
    this.#failuresInARow += 1
    if (this.#openedMs === undefined && this.#failuresInARow >= circuit.failuresToOpen) this.#open(reason)
    const delayMs = this.isOpen ? circuit.probeEveryMs : this.#backoffMs()
    this.#pause = { sinceMs: this.#time.now(), ms: Math.max(delayMs, Math.min(retryAfterMs, retry.maxRetryAfterMs)) }
  }

  #backoffMs(): number {
    const { minDelayMs, maxDelayMs } = this.#settings.retry
    const mostMs = Math.min(maxDelayMs, minDelayMs * 2 ** (this.#failuresInARow - 1))
    // By chance, so that many processes don't come back in the same moment.
    return mostMs * (1 - this.#time.random() / 2)
  }

  #open(reason: string): void {
    const { shownUrl, circuit } = this.#settings
    const failures = this.#failuresInARow
    this.#openedMs = this.#time.now()
    this.#notify({
      kind: 'sink-circuit-open',
      message: `${shownUrl} failed ${failures} times in a row: ${reason}. It is tried each ${circuit.probeEveryMs} ms.`,
      fields: { reason, failures },
    })
  }
}
