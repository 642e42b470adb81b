import { StreamError } from '../errors.js'
import type { Sink, SinkContext } from './sink.js'
import { Spill } from './spill.js'
import { Circuit } from './webhook-circuit.js'
import type { NotifyWebhook } from './webhook-circuit.js'
import { DirectDelivery } from './webhook-direct.js'
import type { Delivery } from './webhook-direct.js'
import { RefusedLetters } from './webhook-refused.js'
import { post } from './webhook-request.js'
import type { Letter } from './webhook-request.js'
import { WebhookSender } from './webhook-sender.js'
import { resolveWebhook } from './webhook-settings.js'
import type { WebhookOptions, WebhookSettings } from './webhook-settings.js'
import { SpillingDelivery } from './webhook-spilling.js'
import { systemTime, withTimeLimit } from './webhook-time.js'
import type { SinkTime } from './webhook-time.js'

/**
 * Posts each result as JSON to an http or https address, in order, at least once.
 *
 * Headers: `content-type: application/json`; `idempotency-key`, the result's id, by which the other end
 * tells a result that it has already; `x-tinyllava-timestamp`, seconds since 1970; with a secret
 * `x-tinyllava-signature`. Check it before anything else, against the body's bytes as they came:
 *
 * ```ts
 * const expected = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest()
 * const given = Buffer.from(signature.replace('sha256=', ''), 'hex')
 * const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300
 * const isOurs = given.length === expected.length && timingSafeEqual(given, expected) && isFresh
 * ```
 *
 * - **2xx** is success.
 * - **408, 425, 429, 5xx, no answer in time, no connection** are tried again, later each time by chance
 *   and as `Retry-After` says, without limit unless `maxAttempts` is set. After `failuresToOpen` of them in
 *   a row the circuit opens: a notice says so, and the other end is tried every `probeEveryMs`.
 * - **other 4xx, and redirects** (never followed) are refusals of this one result: a notice says so, and
 *   the run goes on. With `spill` the result is kept in `refused.jsonl` there, up to `maxBytes`; results
 *   that are kept nowhere make `close` reject.
 * - **write** resolves when the other end has the result; with `spill`, while the circuit is open, when the
 *   disk has it (`fsync`). Without `spill`, or when that is full, it waits: the pipeline slows down, and
 *   nothing is dropped.
 * - **open** sends first what an earlier run left in `spill`. A crash repeats at most what was under way.
 * - **close** sends on for `closeLimitMs`. What is left then stays in `spill`, with a notice. A result that
 *   can't stay there makes its `write` and `close` reject with `SINK_FAILED`.
 *
 * Memory: one result. No message, notice or error holds the address beyond its host, a header or the secret.
 *
 * @example
 * ```ts
 * webhook('https://example.com/alerts', { secretEnv: 'SECRET', kinds: ['alert'], spill: { folder: 'waiting' } })
 * ```
 *
 * @param url Where to post. A login in it is sent as basic authentication.
 * @param options How to send.
 * @param time Clock, timer and chance; for tests.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function webhook(url: string, options: WebhookOptions = {}, time: SinkTime = systemTime): Sink {
  const settings = resolveWebhook(url, options)
  const kinds = new Set(settings.kinds)
  let opened: OpenWebhook | undefined

  return {
    kind: 'webhook',
    open: async (context) => {
      opened = await openWebhook(settings, time, context)
    },
    write: async (result) => {
      if (!kinds.has(result.kind)) return
      if (opened === undefined) throw new StreamError('SINK_FAILED', 'Could not post a result: the webhook isn’t open.')
      await opened.delivery.write({ id: result.id, body: JSON.stringify(result) })
    },
    close: async () => {
      const closing = opened
      opened = undefined
      await closing?.close()
    },
  }
}

interface OpenWebhook {
  readonly delivery: Delivery
  close(): Promise<void>
}

async function openWebhook(settings: WebhookSettings, time: SinkTime, context?: SinkContext): Promise<OpenWebhook> {
  const notify: NotifyWebhook = ({ kind, message, fields }) => {
    context?.notify({ kind, sink: 'webhook', message, fields: { url: settings.shownUrl, ...fields } })
  }
  const spill = settings.spill === undefined ? undefined : await Spill.open(settings.spill)
  if (isLeft(spill)) notify({ kind: 'sink-spill-found', ...describeWaiting(spill, 'are sent first') })
  const refused = new RefusedLetters(settings, () => time.now(), notify)
  const refuse = (letter: Letter, reason: string): Promise<void> => refused.take(letter, reason)
  const sender = new WebhookSender({
    circuit: new Circuit(settings, time, notify),
    maxAttempts: settings.retry.maxAttempts,
    post: (letter, stop) => post(letter, settings, { time, stop }),
    refuse,
  })
  const spilling = spill && { spill, sender, refuse, notify }
  const delivery = spilling === undefined ? new DirectDelivery(sender) : new SpillingDelivery(spilling)

  const finish = async (): Promise<void> => {
    const stop = (): void => void delivery.stop().catch(() => undefined)
    await withTimeLimit({ time, ms: settings.closeLimitMs }, stop, () => delivery.whenSent())
    await delivery.stop()
  }
  return {
    delivery,
    close: async () => {
      try {
        await finish()
      } finally {
        await refused.close()
        await spill?.close()
      }
      if (isLeft(spill)) notify({ kind: 'sink-spill-left', ...describeWaiting(spill, 'stay there') })
      throwIfLost(refused.notKept, settings.shownUrl)
    },
  }
}

function isLeft(spill: Spill | undefined): spill is Spill {
  return spill !== undefined && spill.count > 0
}

function describeWaiting({ count }: Spill, whatBecomes: string) {
  return { message: `${count} results wait on disk and ${whatBecomes}.`, fields: { waiting: count } }
}

function throwIfLost(notKept: number, shownUrl: string): void {
  if (notKept === 0) return
  throw new StreamError('SINK_FAILED', `${shownUrl} refused ${notKept} results, which are kept nowhere.`)
}
