import { Subject, lastValueFrom, takeUntil, tap } from 'rxjs'
import type { Observable } from 'rxjs'

import { expectInteger } from '../checks.js'
import type { Result } from '../envelope.js'
import { StreamError } from '../errors.js'
import { bindModel } from '../operators/run-context.js'
import type { RunModel } from '../operators/run-context.js'
import { forManyListeners, whenAborted } from './abort.js'
import { checkDelivery } from './check-delivery.js'
import { withCleanup } from './cleanup.js'
import { definePipeline } from './define-pipeline.js'
import type { Pipeline } from './define-pipeline.js'
import { closeSinks, deliver, openSinks } from './deliver.js'
import type { RunEvent } from './events.js'
import { noModel } from './no-model.js'
import { openModel } from './open-model.js'
import type { OpenedModel } from './open-model.js'
import { MOST_DRAIN_MS } from './pipeline-schema.js'
import type { RunState, RunStatus } from './run-status.js'
import { runStreams } from './run-streams.js'
import { createLane } from './sink-lane.js'
import type { SinkLane } from './sink-lane.js'
import { SourceRegistry } from './source-registry.js'
import type { RunSources } from './source-registry.js'

/** How a run is stopped. */
export interface StopOptions {
  /**
   * How long what was taken may take to be finished, in milliseconds, at most 2147483647; then it is let go.
   *
   * @default the pipeline's `drainTimeoutMs`
   */
  readonly drainTimeoutMs?: number
}

/** A pipeline at work. */
export interface Run {
  /** Every result, once all sinks have it safe. Hot; completes when the run is over and never errors. */
  readonly answers$: Observable<Result>
  /** What happens meanwhile: pieces of text, streams, the model. Hot; completes when the run is over. */
  readonly events$: Observable<RunEvent>
  /**
   * Settles when the run is over and everything is closed. Rejects with what ended it: a sink that
   * failed, the model; or else, once all other streams are through, the first failure of those sources that
   * were not removed.
   */
  readonly done: Promise<void>
  /**
   * Drains and ends the run: no frame is taken any more; frames and questions that were taken are
   * finished and delivered, open windows let go, sinks closed, the model disposed. Returns `done`.
   *
   * @throws {StreamError} `SETTING_INVALID`: the time limit is none. Thrown by the call itself, and nothing is stopped.
   */
  readonly stop: (options?: StopOptions) => Promise<void>
  /** The sources: to be listed, added, paused, resumed and removed while the run goes on. */
  readonly sources: RunSources
  /** What the run is doing now. */
  readonly status: () => RunStatus
}

/** How long a drain may take where nobody says otherwise. */
const DRAIN_TIMEOUT_MS = 30_000

/** One run of a pipeline. */
class Life {
  readonly answers = new Subject<Result>()
  readonly events = new Subject<RunEvent>()
  readonly registry: SourceRegistry
  readonly #pipeline: Pipeline
  readonly #lanes: readonly SinkLane[]
  /** Aborted when no frame is wanted any more. */
  readonly #stop = new AbortController()
  /** Aborted when not even what was taken is waited for. */
  readonly #halt = new AbortController()
  #state: RunState = 'starting'
  #model: RunModel | undefined
  #drainTimer: NodeJS.Timeout | undefined

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline
    forManyListeners(this.#stop.signal)
    forManyListeners(this.#halt.signal)
    this.#lanes = (pipeline.sinks ?? []).map(createLane)
    const check = checkDelivery(pipeline)
    for (const source of pipeline.sources) check(source)
    this.registry = new SourceRegistry({
      ...{ sources: pipeline.sources, stop: this.#stop.signal, check },
      emit: (event) => {
        this.#emit(event)
      },
    })
  }

  async live(): Promise<void> {
    const sinks = this.#pipeline.sinks ?? []
    try {
      await withCleanup(
        async () => {
          await this.#openSinks()
          await this.#withModel()
        },
        () => this.#close(() => closeSinks(sinks)),
      )
    } finally {
      clearTimeout(this.#drainTimer)
      this.#state = 'over'
      this.registry.close()
      this.answers.complete()
      this.events.complete()
    }
  }

  /** Begins the drain; only the first call's time limit counts. */
  stop({ drainTimeoutMs = this.#pipeline.drainTimeoutMs ?? DRAIN_TIMEOUT_MS }: StopOptions = {}): void {
    const timeoutMs = expectInteger('drainTimeoutMs', drainTimeoutMs, 0, MOST_DRAIN_MS)
    if (this.#stop.signal.aborted) return
    if (this.#state !== 'over') {
      this.#state = 'draining'
      this.#emit({ kind: 'drain-start', timeoutMs })
      this.#drainTimer = setTimeout(() => {
        this.#emit({ kind: 'drain-timeout', counts: this.registry.totals() })
        this.#halt.abort()
      }, timeoutMs)
    }
    this.#stop.abort()
  }

  status(): RunStatus {
    return {
      state: this.#state,
      ...(this.#model === undefined ? {} : { model: this.#model.info }),
      sinks: this.#lanes.map(({ sink, waiting }) => ({ kind: sink.kind, waiting })),
      totals: this.registry.totals(),
    }
  }

  #emit(event: RunEvent): void {
    this.events.next(event)
  }

  /** Nothing is read any more, however that came: while something is closed, no source is taken either. */
  #close(closing: () => Promise<void>): Promise<void> {
    this.#stop.abort()
    return closing()
  }

  async #openSinks(): Promise<void> {
    for (const sink of this.#pipeline.sinks ?? []) {
      await openSinks([sink], {
        notify: (notice) => {
          this.#emit({ kind: 'sink-notice', sink: sink.kind, notice })
        },
      })
    }
  }

  async #withModel(): Promise<void> {
    const opened = await this.#openModel()
    if (opened === undefined) return
    const model = bindModel(opened.model, {
      pipeline: this.#pipeline.name,
      emit: (event) => {
        this.#emit(event)
      },
    })
    this.#model = model
    if (this.#state === 'starting') this.#state = 'running'
    this.#emit({ kind: 'model-ready', model: model.info })
    await withCleanup(
      () => this.#runAll(model),
      () => this.#close(opened.close),
    )
  }

  /** Gives nothing where the run was stopped meanwhile. */
  async #openModel(): Promise<OpenedModel | undefined> {
    const { model, device } = this.#pipeline
    if (model === null) return { model: noModel(this.#pipeline.name), close: () => Promise.resolve() }
    try {
      return await openModel(model, {
        signal: this.#stop.signal,
        ...(device !== undefined && { device }),
        onProgress: (progress) => {
          this.#emit({ kind: 'model-build', ...progress })
        },
      })
    } catch (error) {
      const isOurStop = this.#stop.signal.aborted && error instanceof StreamError && error.code === 'ABORTED'
      if (isOurStop) return undefined
      throw error
    }
  }

  async #runAll(model: RunModel): Promise<void> {
    const deliveries = runStreams(this.registry.entries, {
      ...{ pipeline: this.#pipeline, model, stop: this.#stop.signal },
      delivery: this.#pipeline.delivery ?? 'at-least-once',
      emit: (event) => {
        this.#emit(event)
      },
    })
    const delivered = deliveries.pipe(
      deliver(this.#lanes),
      tap((result) => {
        this.answers.next(result)
      }),
      takeUntil(whenAborted(this.#halt.signal)),
    )
    await lastValueFrom(delivered, { defaultValue: undefined })
    const { failure } = this.registry
    if (failure !== undefined) throw failure.thrown
  }
}

/**
 * Starts a declared pipeline.
 *
 * Sinks are opened first, then the model, then the sources. Subscribe right after the call: `answers$`
 * and `events$` don't repeat what was before. They may be left alone; `done` may not, as it is the one
 * place that tells of a failure.
 *
 * A pipeline that is declared without sources waits for some to be added, until it is stopped.
 *
 * @example
 * ```ts
 * const run = start(pipeline)
 * run.answers$.subscribe((result) => console.log(result))
 * process.once('SIGTERM', () => void run.stop())
 * await run.done
 * ```
 *
 * @param pipeline What `definePipeline` returned.
 * @throws {StreamError} `PIPELINE_INVALID`; whatever happens later is told by `done`.
 */
export function start(pipeline: Pipeline): Run {
  const life = new Life(definePipeline(pipeline))
  const done = life.live()
  return {
    answers$: life.answers.asObservable(),
    events$: life.events.asObservable(),
    done,
    stop: (options) => {
      life.stop(options)
      return done
    },
    sources: life.registry,
    status: () => life.status(),
  }
}
