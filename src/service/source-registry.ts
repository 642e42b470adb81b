import { Subject, defer, from, merge } from 'rxjs'
import type { Observable } from 'rxjs'

import { StreamError } from '../errors.js'
import { addCounts, noCounts } from '../ledger-counts.js'
import type { LedgerCounts } from '../ledger-counts.js'
import type { Source } from '../sources/source.js'
import type { RunEvent } from './events.js'
import { SourceEntry } from './source-entry.js'
import type { Failure, SourceStatus } from './source-entry.js'

/** The sources of a run while it runs. One source's changes don't disturb the others. */
export interface RunSources {
  /** All sources, in the order they came. One that has ended or failed stays until it is removed. */
  list(): readonly SourceStatus[]
  /**
   * Adds a source; it is opened at once.
   *
   * @throws {StreamError} `PIPELINE_INVALID`: there is a source of this id, or it can't be part of the pipeline.
   *   `ABORTED`: the run is stopping or over.
   */
  add(source: Source): void
  /** Takes no frame of the source until `resume`: files wait, cameras are left. @throws {StreamError} `SOURCE_UNKNOWN` */
  pause(id: string): void
  /** @throws {StreamError} `SOURCE_UNKNOWN` */
  resume(id: string): void
  /**
   * Takes no frame any more, finishes what was taken, and forgets the source, also what it failed with. Resolves
   * when that is done.
   *
   * @throws {StreamError} `SOURCE_UNKNOWN`
   */
  remove(id: string): Promise<void>
}

/** What a registry needs of its run. */
export interface RegistrySetup {
  readonly sources: readonly Source[]
  /** Aborted when no source is wanted any more. */
  readonly stop: AbortSignal
  readonly emit: (event: RunEvent) => void
  /** Throws where the source can't be part of the pipeline. */
  readonly check: (source: Source) => void
}

/** Knows the sources of a run, from its declaration and added later. */
export class SourceRegistry implements RunSources {
  readonly #setup: RegistrySetup
  readonly #entries = new Map<string, SourceEntry>()
  /** Sources that are added; the declared ones are begun by whoever subscribes. */
  readonly #found = new Subject<SourceEntry>()
  /** Those that failed and are not removed, in the order they failed. */
  readonly #failed = new Set<SourceEntry>()
  /** A run that began without sources waits for some until it is stopped. */
  readonly #waitsForStop: boolean
  #removed: LedgerCounts = noCounts()
  #isOver = false

  constructor(setup: RegistrySetup) {
    this.#setup = setup
    this.#waitsForStop = setup.sources.length === 0
    for (const source of setup.sources) this.#begin(source)
    setup.stop.addEventListener('abort', () => {
      this.#endIfOver()
    })
    this.#endIfOver()
  }

  /** The sources as they come; completes when all are over and no further one can come. */
  get entries(): Observable<SourceEntry> {
    // Listened to first: one may be added while those that are there begin.
    return defer(() => merge(this.#found, from([...this.#entries.values()])))
  }

  /** What failed first, of the sources that are not removed. */
  get failure(): Failure | undefined {
    const [entry] = this.#failed
    return entry?.failure
  }

  /** Ends whatever is left, as the run is over; `stop` is aborted by then. */
  close(): void {
    for (const entry of this.#entries.values()) entry.close()
    this.#isOver = true
    this.#found.complete()
  }

  totals(): LedgerCounts {
    return [...this.#entries.values()].reduce((sum, entry) => addCounts(sum, entry.totals()), this.#removed)
  }

  list(): readonly SourceStatus[] {
    return [...this.#entries.values()].map((entry) => entry.status())
  }

  add(source: Source): void {
    if (this.#isOver || this.#setup.stop.aborted) {
      throw new StreamError('ABORTED', `The run is stopping or over: start another for "${source.id}".`)
    }
    this.#setup.check(source)
    if (this.#entries.has(source.id)) {
      throw new StreamError('PIPELINE_INVALID', `There is a source "${source.id}" already: remove it, or take another id.`)
    }
    this.#begin(source)
    this.#setup.emit({ kind: 'source-added', sourceId: source.id })
  }

  pause(id: string): void {
    this.#entry(id).pause()
    this.#setup.emit({ kind: 'source-paused', sourceId: id })
  }

  resume(id: string): void {
    this.#entry(id).resume()
    this.#setup.emit({ kind: 'source-resumed', sourceId: id })
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entry(id)
    if (!entry.isOver) {
      entry.stop.abort()
      // A paused stream must not hold what is left to do.
      entry.resume()
      await entry.over
    }
    if (this.#entries.get(id) !== entry) return
    this.#entries.delete(id)
    this.#failed.delete(entry)
    const counts = entry.totals()
    this.#removed = addCounts(this.#removed, counts)
    this.#setup.emit({ kind: 'source-removed', sourceId: id, counts })
  }

  #begin(source: Source): void {
    const entry: SourceEntry = new SourceEntry(source, () => {
      this.#failed.add(entry)
    })
    void entry.over.then(() => {
      this.#endIfOver()
    })
    this.#entries.set(source.id, entry)
    this.#found.next(entry)
  }

  #entry(id: string): SourceEntry {
    const entry = this.#entries.get(id)
    if (entry !== undefined) return entry
    const known = [...this.#entries.keys()].join(', ') || 'none'
    throw new StreamError('SOURCE_UNKNOWN', `There is no source "${id}". There are: ${known}.`)
  }

  #endIfOver(): void {
    const mayComeMore = this.#waitsForStop && !this.#setup.stop.aborted
    if (this.#isOver || mayComeMore || ![...this.#entries.values()].every(({ isOver }) => isOver)) return
    this.#isOver = true
    this.#found.complete()
  }
}
