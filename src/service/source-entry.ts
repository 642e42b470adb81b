import { Subject } from 'rxjs'

import type { StreamError } from '../errors.js'
import { asStreamError } from '../errors.js'
import { addCounts, noCounts } from '../ledger-counts.js'
import type { LedgerCounts } from '../ledger-counts.js'
import type { FrameStream, Source } from '../sources/source.js'

/** What a source is doing. */
export type SourceState = 'running' | 'paused' | 'stopping' | 'ended' | 'failed'

/** One stream of a source that isn't over. */
export interface StreamStatus {
  readonly id: string
  readonly epoch: number
  readonly isLive: boolean
  readonly counts: LedgerCounts
  /** Share of the wanted media that was had so far, 0 to 1. */
  readonly coverage: number
  readonly warnings: readonly string[]
  /** Frames that were thinned out inside the decoder and never handed out: an estimate. */
  readonly thinnedEstimate?: number
}

/** A source as it is now. */
export interface SourceStatus {
  readonly id: string
  readonly kind: string
  readonly state: SourceState
  /** The streams that are not over. */
  readonly streams: readonly StreamStatus[]
  /** Counts of all its streams, those that are over included. */
  readonly totals: LedgerCounts
  /** What it failed with. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** What a source failed with: as it was thrown, and as it is told. */
export interface Failure {
  readonly thrown: unknown
  readonly error: StreamError
}

/** A source of a run, and its streams that are not over. */
export class SourceEntry {
  readonly source: Source
  /** Aborted when the source is removed: no frame is taken any more. */
  readonly stop = new AbortController()
  /** Emits after each pause and each end of one. */
  readonly pauseChanges = new Subject<void>()
  readonly #onFailure: () => void
  #isPaused = false
  #failure: Failure | undefined
  readonly #streams = new Set<FrameStream>()
  #isSearching = true
  #ended: LedgerCounts = noCounts()
  #resolveOver: () => void = () => undefined
  /** Resolves when the source and all its streams are over. */
  readonly over = new Promise<void>((resolve) => (this.#resolveOver = resolve))

  /** @param onFailure Called when the source or a stream of it fails for the first time. */
  constructor(source: Source, onFailure: () => void) {
    this.source = source
    this.#onFailure = onFailure
  }

  /** What it failed with first. */
  get failure(): Failure | undefined {
    return this.#failure
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get isOver(): boolean {
    return !this.#isSearching && this.#streams.size === 0
  }

  /** A stream was found. */
  add(stream: FrameStream): void {
    this.#streams.add(stream)
    if (this.#isPaused) stream.info.ledger.pause()
  }

  /** A stream is over, or was never begun. */
  delete(stream: FrameStream): void {
    if (!this.#streams.delete(stream)) return
    this.#ended = addCounts(this.#ended, stream.info.ledger.counts())
    this.#checkOver()
  }

  /** No stream is found any more. */
  endSearch(): void {
    this.#isSearching = false
    this.#checkOver()
  }

  /** Ends what nobody will end any more: the run is over. */
  close(): void {
    for (const stream of this.#streams) this.delete(stream)
    this.endSearch()
  }

  fail(thrown: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { thrown, error: asStreamError(thrown, 'VIDEO_DECODER_FAILED', `The source ${this.source.id}`) }
    this.#onFailure()
  }

  pause(): void {
    this.#isPaused = true
    for (const { info } of this.#streams) info.ledger.pause()
    this.pauseChanges.next()
  }

  resume(): void {
    this.#isPaused = false
    for (const { info } of this.#streams) info.ledger.resume()
    this.pauseChanges.next()
  }

  totals(): LedgerCounts {
    return [...this.#streams].reduce((sum, { info }) => addCounts(sum, info.ledger.counts()), this.#ended)
  }

  status(): SourceStatus {
    const { id, kind } = this.source
    const failed = this.#failure?.error
    const error = failed === undefined ? {} : { error: { code: failed.code, message: failed.message } }
    return {
      ...{ id, kind, state: this.#state(), totals: this.totals(), ...error },
      streams: [...this.#streams].map(statusOf),
    }
  }

  #state(): SourceState {
    if (this.isOver) return this.#failure === undefined ? 'ended' : 'failed'
    if (this.stop.signal.aborted) return 'stopping'
    return this.#isPaused ? 'paused' : 'running'
  }

  #checkOver(): void {
    if (this.isOver) this.#resolveOver()
  }
}

function statusOf({ info }: FrameStream): StreamStatus {
  const { id, epoch, isLive, ledger } = info
  const thinned = info.thinnedEstimate?.()
  return {
    ...{ id, epoch, isLive, counts: ledger.counts(), ...info.health() },
    ...(thinned === undefined ? {} : { thinnedEstimate: thinned }),
  }
}
