import type { OutgoingRecord } from '../../delivery.js'
import type { StreamError } from '../../errors.js'
import type { DeliveryReceipt } from '../../ledger.js'
import type { DeliveryEntry } from '../../needs.js'

/** Something that is to become visible together with the progress it allows. */
export interface Publication {
  readonly records: readonly OutgoingRecord[]
  /** The result that it is. */
  readonly delivery?: { readonly streamId: string; readonly receipt: DeliveryReceipt; readonly entry: DeliveryEntry }
  /** The offset of the message that it settles. */
  readonly settles?: number
}

/** How far a partition is. */
export interface PartitionProgress {
  /** The next offset to read. */
  readonly offset: number
  /** The value of each key of the state topic that may have changed; `null`: none any more. */
  readonly states: ReadonlyMap<string, string | null>
}

/** What commits are made with. */
export interface CommitsSetup {
  readonly topic: string
  readonly stateTopic: string
  readonly partition: number
  /** Most time that progress without results waits to be kept. */
  readonly intervalMs: number
  /** How far the partition will be once the publications are safe. */
  readonly progress: (publications: readonly Publication[]) => PartitionProgress
  readonly commit: (content: CommitContent) => Promise<void>
}

/** One transaction: records, states and offset. */
export interface CommitContent {
  readonly records: readonly (OutgoingRecord & { readonly partition?: number })[]
  readonly progress: { readonly topic: string; readonly partition: number; readonly offset: number }
}

interface Waiting {
  readonly publication: Publication
  readonly resolve: () => void
  readonly reject: (error: StreamError) => void
}

/** Most publications in one transaction. */
const MOST_IN_ONE = 500

/**
 * Commits a partition's results, states and offset, one transaction at a time.
 *
 * Each says: these records are visible, and whoever reads the partition next goes on from here. Nothing
 * in memory counts before that, so a crash between any two steps is a crash before or after a transaction.
 */
export class Commits {
  readonly #setup: CommitsSetup
  #waiting: Waiting[] = []
  /** Visible; but their receipts are settled only once their promises' listeners ran. */
  #visible: readonly Publication[] = []
  /** What the durable state is, as far as this process knows. */
  #offset: number
  readonly #written: Map<string, string>
  #isDirty = false
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #failure: StreamError | undefined
  readonly #onFailure: (error: unknown) => void

  /**
   * @param durable What is durable: the group's offset, and the values of the state topic by their keys.
   * @param onFailure Called once, with the error of a transaction: nothing is committed any more.
   */
  constructor(
    setup: CommitsSetup,
    { offset, values }: { readonly offset: number; readonly values: ReadonlyMap<string, string> },
    onFailure: (error: unknown) => void,
  ) {
    this.#setup = setup
    this.#offset = offset
    this.#written = new Map(values)
    this.#onFailure = onFailure
  }

  /** Resolves when the publication is visible; rejects with the error that `end` was called with. */
  publish(publication: Publication): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#waiting.push({ publication, resolve, reject })
      this.#run()
    })
  }

  /** Something may have changed: it is committed before long. */
  touch(): void {
    this.#isDirty = true
    if (this.#failure !== undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#run()
    }, this.#setup.intervalMs)
  }

  /** Commits whatever there is. */
  async flush(): Promise<void> {
    while (this.#failure === undefined && (this.#hasWork || this.#running !== undefined)) {
      this.#run()
      await this.#running
    }
  }

  get #hasWork(): boolean {
    return this.#isDirty || this.#waiting.length > 0
  }

  /** Commits nothing any more; what waits is rejected. */
  end(error: StreamError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    clearTimeout(this.#timer)
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #run(): void {
    this.#running ??= this.#commitAll()
      .catch(this.#onFailure)
      .finally(() => {
        this.#running = undefined
        if (this.#failure !== undefined) return
        if (this.#waiting.length > 0) this.#run()
        // The timer may have found it running.
        else if (this.#isDirty) this.touch()
      })
  }

  async #commitAll(): Promise<void> {
    do {
      // Whatever came at the same moment goes along.
      await Promise.resolve()
      const batch = this.#waiting.slice(0, MOST_IN_ONE)
      this.#isDirty = false
      this.#visible = this.#visible.filter(({ delivery }) => delivery?.receipt.isSettled === false)
      const { offset, states } = this.#setup.progress([...this.#visible, ...batch.map(({ publication }) => publication)])
      const changed = this.#changed(states)
      const records = batch.flatMap(({ publication }) => publication.records)
      if (records.length === 0 && changed.size === 0 && offset === this.#offset) {
        this.#settle(batch)
        continue
      }
      await this.#commit({ records, offset, changed })
      this.#settle(batch)
    } while (this.#waiting.length > 0 && this.#failure === undefined)
  }

  async #commit({ records, offset, changed }: { records: readonly OutgoingRecord[]; offset: number; changed: Changed }): Promise<void> {
    const { topic, stateTopic, partition, commit } = this.#setup
    const stateRecords = [...changed].map(([key, value]) => ({ topic: stateTopic, partition, key, value, headers: {} }))
    await commit({ records: [...records, ...stateRecords], progress: { topic, partition, offset } })
    this.#offset = offset
    for (const [key, value] of changed) {
      if (value === null) this.#written.delete(key)
      else this.#written.set(key, value)
    }
  }

  /** The states that differ from what is written, as values of records. */
  #changed(states: PartitionProgress['states']): Changed {
    const changed = new Map<string, string | null>()
    for (const [key, value] of states) {
      if (value !== (this.#written.get(key) ?? null)) changed.set(key, value)
    }
    return changed
  }

  /** After the end nobody is told that anything is safe: it was made to be made again. */
  #settle(batch: readonly Waiting[]): void {
    if (this.#failure !== undefined) return
    this.#waiting.splice(0, batch.length)
    this.#visible = [...this.#visible, ...batch.map(({ publication }) => publication)]
    for (const { resolve } of batch) resolve()
  }
}

type Changed = ReadonlyMap<string, string | null>
