import { join } from 'node:path'

import { LineFile } from './line-file.js'
import type { NotifyWebhook } from './webhook-circuit.js'
import type { Letter } from './webhook-request.js'
import type { WebhookSettings } from './webhook-settings.js'

/** Where refused results are kept, in the spill's folder. */
export const REFUSED_FILE = 'refused.jsonl'

/** Keeps results that the other end refuses, with the reason, and tells of each. */
export class RefusedLetters {
  readonly #settings: Pick<WebhookSettings, 'shownUrl' | 'spill'>
  readonly #now: () => number
  readonly #notify: NotifyWebhook
  #file: LineFile | undefined
  #notKept = 0

  constructor(settings: Pick<WebhookSettings, 'shownUrl' | 'spill'>, now: () => number, notify: NotifyWebhook) {
    this.#settings = settings
    this.#now = now
    this.#notify = notify
  }

  /** Results that were refused and are kept nowhere. */
  get notKept(): number {
    return this.#notKept
  }

  /** Notes a refused result. Never rejects: a disk that won't take it must not hold up the others. */
  async take({ id, body }: Letter, reason: string): Promise<void> {
    const { shownUrl, spill } = this.#settings
    const isKept = spill !== undefined && (await this.#keep(spill, { body, reason }))
    if (!isKept) this.#notKept += 1
    const place = isKept ? `It is kept in ${join(spill.folder, REFUSED_FILE)}.` : 'It is kept nowhere.'
    this.#notify({
      kind: 'sink-refused',
      message: `${shownUrl} refused a result: ${reason}. ${place}`,
      fields: { id, reason, isKept },
    })
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #keep(
    { folder, maxBytes }: { readonly folder: string; readonly maxBytes: number },
    { body, reason }: { readonly body: string; readonly reason: string },
  ): Promise<boolean> {
    const refusedAt = new Date(this.#now()).toISOString()
    const line = `{"refusedAt":"${refusedAt}","reason":${JSON.stringify(reason)},"result":${asJson(body)}}\n`
    try {
      this.#file ??= await LineFile.open(join(folder, REFUSED_FILE), 'close')
      if (this.#file.bytes + Buffer.byteLength(line) > maxBytes) return false
      await this.#file.append(line)
      return true
    } catch {
      return false
    }
  }
}

/** The body as it is; one that is no JSON any more as a text. */
function asJson(body: string): string {
  try {
    JSON.parse(body)
    return body
  } catch {
    return JSON.stringify(body)
  }
}
