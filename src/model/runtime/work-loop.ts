import type { Lane } from './lane.js'

/**
 * Does the work of several lanes, a step of one at a time: next is always the lane that had the least time
 * so far, so that long steps of one don't starve another.
 */
export class WorkLoop {
  readonly #lanes: readonly Lane[]
  readonly #now: () => number
  /** Milliseconds each lane had, or was given credit for. */
  readonly #spent = new Map<Lane, number>()
  #running: Promise<void> | undefined
  #isStopped = false

  /** @param now Milliseconds that only grow. @default performance.now */
  constructor(lanes: readonly Lane[], now: () => number = () => performance.now()) {
    this.#lanes = lanes
    this.#now = now
  }

  /** Goes to work, if there is any and nobody does it already. */
  wake(): void {
    if (this.#isStopped) return
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      // What came in with the last step's end.
      if (this.#busy().length > 0) this.wake()
    })
  }

  /** Ends after the step under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  #busy(): readonly Lane[] {
    return this.#isStopped ? [] : this.#lanes.filter(({ hasWork }) => hasWork)
  }

  async #work(): Promise<void> {
    for (let busy = this.#busy(); busy.length > 0; busy = this.#busy()) {
      this.#forgetRest(busy)
      const lane = busy.reduce((least, other) => (this.#spentBy(other) < this.#spentBy(least) ? other : least))
      const begunAt = this.#now()
      await lane.step()
      this.#spent.set(lane, this.#spentBy(lane) + this.#now() - begunAt)
      await eventsDelivered()
    }
  }

  #spentBy(lane: Lane): number {
    return this.#spent.get(lane) ?? 0
  }

  /** A lane that rests saves nothing up: it comes back level with the one that is behind. */
  #forgetRest(busy: readonly Lane[]): void {
    const least = Math.min(...busy.map((lane) => this.#spentBy(lane)))
    for (const lane of this.#lanes) {
      if (!busy.includes(lane)) this.#spent.set(lane, Math.max(this.#spentBy(lane), least))
    }
  }
}

/** Lets the event loop turn once: a run blocks it, and a message to cancel has to come in somewhere. */
function eventsDelivered(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
