import { z } from 'zod'

import type { Spill } from './spill.js'
import { notDelivered } from './webhook-direct.js'
import type { Delivery } from './webhook-direct.js'
import type { NotifyWebhook } from './webhook-circuit.js'
import type { Letter } from './webhook-request.js'
import type { WebhookSender } from './webhook-sender.js'

/** What results that wait on disk are delivered with. */
export interface SpillingSetup {
  readonly spill: Spill
  readonly sender: WebhookSender
  /** Takes a line that isn't a result any more. */
  readonly refuse: (letter: Letter, reason: string) => Promise<void>
  readonly notify: NotifyWebhook
}

/**
 * Sends each result before it takes the next, until the circuit opens; from then on results wait on disk,
 * and are sent from there, in order, until none is left.
 */
export class SpillingDelivery implements Delivery {
  readonly #setup: SpillingSetup
  readonly #stop = new AbortController()
  #writing: Promise<unknown> = Promise.resolve()
  /** Sends what waits on disk; none: nothing does. */
  #draining: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  /** Told once until nothing waits any more. */
  #hasToldFull = false

  constructor(setup: SpillingSetup) {
    this.#setup = setup
    this.#drain()
  }

  write(letter: Letter): Promise<void> {
    const writing = this.#write(letter)
    this.#writing = writing.catch(() => undefined)
    return writing
  }

  async whenSent(): Promise<void> {
    await this.#writing
    await this.#draining
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.whenSent()
    this.#throwIfFailed()
  }

  async #write(letter: Letter): Promise<void> {
    const { sender } = this.#setup
    const end = this.#isIdle() ? await sender.send(letter, this.#stop.signal, { untilOpen: true }) : 'circuit-open'
    if (end !== 'settled') await this.#store(letter)
  }

  /** Keeps the result on disk; where there is no room, waits. */
  async #store(letter: Letter): Promise<void> {
    const { spill, sender } = this.#setup
    for (;;) {
      this.#throwIfFailed()
      const { shifts } = spill
      if (await spill.append(letter.body)) {
        this.#drain()
        return
      }
      if (this.#stop.signal.aborted) this.#giveUp(letter)
      this.#tellFull()
      // Nothing waits that could make room: the disk is full of other things.
      const isSettled = this.#isIdle() && (await sender.send(letter, this.#stop.signal)) === 'settled'
      if (isSettled) return
      await spill.whenShifted(shifts, this.#stop.signal)
    }
  }

  #tellFull(): void {
    const { spill, notify } = this.#setup
    if (!this.#hasToldFull) notify({ kind: 'sink-spill-full', message: NO_ROOM, fields: { waiting: spill.count } })
    this.#hasToldFull = true
  }

  #giveUp(letter: Letter): never {
    const error = notDelivered(letter)
    this.#failure ??= { error }
    throw error
  }

  #isIdle(): boolean {
    return this.#setup.spill.count === 0 && this.#draining === undefined
  }

  /** Begins to send what waits, unless that goes on already. */
  #drain(): void {
    if (this.#setup.spill.count > 0) this.#draining ??= this.#sendWaiting()
  }

  async #sendWaiting(): Promise<void> {
    const { spill, sender } = this.#setup
    const { signal } = this.#stop
    try {
      while (spill.count > 0 && !signal.aborted) {
        const letter = await this.#firstLetter()
        if (letter !== undefined && (await sender.send(letter, signal)) === 'stopped') break
        await spill.shift()
      }
    } catch (error) {
      this.#failure = { error }
      // Wakes a write that waits for room.
      this.#stop.abort()
    }
    // In the same step as the check of the loop: a line appended later begins anew.
    this.#draining = undefined
    this.#hasToldFull = false
  }

  async #firstLetter(): Promise<Letter | undefined> {
    const { spill, refuse } = this.#setup
    const body = (await spill.first()) ?? ''
    const id = idIn(body)
    if (id !== undefined) return { id, body }
    await refuse({ id: 'unknown', body }, 'it was damaged on the disk')
    return undefined
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

const NO_ROOM = 'No room is left for results that wait on disk: the pipeline waits until some are delivered.'

const letterSchema = z.object({ id: z.string() })

function idIn(body: string): string | undefined {
  try {
    return letterSchema.safeParse(JSON.parse(body)).data?.id
  } catch {
    return undefined
  }
}
