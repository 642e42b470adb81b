import { Subject, lastValueFrom, tap } from 'rxjs'
import type { Observable } from 'rxjs'

import type { Result } from '../envelope.js'
import { StreamError } from '../errors.js'
import { bindModel } from '../operators/run-context.js'
import type { RunModel } from '../operators/run-context.js'
import { withCleanup } from './cleanup.js'
import { definePipeline } from './define-pipeline.js'
import type { Pipeline } from './define-pipeline.js'
import { closeSinks, deliver, openSinks } from './deliver.js'
import type { RunEvent } from './events.js'
import { openModel } from './open-model.js'
import { runStreams } from './run-streams.js'

/** A pipeline at work. */
export interface Run {
  /** Every result, once all sinks have it safe. Hot; completes when the run is over and never errors. */
  readonly answers$: Observable<Result>
  /** What happens meanwhile: pieces of text, streams, the model. Hot; completes when the run is over. */
  readonly events$: Observable<RunEvent>
  /**
   * Settles when the run is over and everything is closed. Rejects with what ended it: a sink that
   * failed, the model; or else, once all other streams are through, the first stream that failed.
   */
  readonly done: Promise<void>
  /**
   * Drains and ends the run: no frame is taken any more; frames and questions that were taken are
   * finished and delivered, open windows let go, sinks closed, the model disposed. Returns `done`.
   */
  readonly stop: () => Promise<void>
}

interface Life {
  readonly stop: AbortSignal
  readonly emit: (event: RunEvent) => void
  readonly onResult: (result: Result) => void
}

/**
 * Starts a declared pipeline.
 *
 * Sinks are opened first, then the model, then the sources. Subscribe right after the call: `answers$`
 * and `events$` don't repeat what was before. They may be left alone; `done` may not, as it is the one
 * place that tells of a failure.
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
  const checked = definePipeline(pipeline)
  const answers = new Subject<Result>()
  const events = new Subject<RunEvent>()
  const stop = new AbortController()
  const done = live(checked, {
    stop: stop.signal,
    emit: (event) => {
      events.next(event)
    },
    onResult: (result) => {
      answers.next(result)
    },
  }).finally(() => {
    answers.complete()
    events.complete()
  })
  return {
    answers$: answers.asObservable(),
    events$: events.asObservable(),
    done,
    stop: () => {
      stop.abort()
      return done
    },
  }
}

async function live(pipeline: Pipeline, life: Life): Promise<void> {
  const sinks = pipeline.sinks ?? []
  await withCleanup(
    async () => {
      await openSinks(sinks)
      await withModel(pipeline, life)
    },
    () => closeSinks(sinks),
  )
}

async function withModel(pipeline: Pipeline, life: Life): Promise<void> {
  const { stop, emit } = life
  const opening = openModel(pipeline.model, {
    signal: stop,
    onProgress: (progress) => {
      emit({ kind: 'model-build', ...progress })
    },
  })
  const opened = await opening.catch((error: unknown) => {
    const isOurStop = stop.aborted && error instanceof StreamError && error.code === 'ABORTED'
    if (!isOurStop) throw error
  })
  if (opened === undefined) return
  const model = bindModel(opened.model, { pipeline: pipeline.name, emit })
  emit({ kind: 'model-ready', model: model.info })
  await withCleanup(async () => runAll({ pipeline, model }, life), opened.close)
}

async function runAll(
  { pipeline, model }: { pipeline: Pipeline; model: RunModel },
  { stop, emit, onResult }: Life,
): Promise<void> {
  const failures: unknown[] = []
  const onFailure = (error: unknown): void => void failures.push(error)
  const deliveries = runStreams({ pipeline, model, stop, emit, onFailure })
  await lastValueFrom(deliveries.pipe(deliver(pipeline.sinks ?? []), tap(onResult)), { defaultValue: undefined })
  if (failures.length > 0) throw failures[0]
}
