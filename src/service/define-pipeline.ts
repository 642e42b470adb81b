import type { Observable } from 'rxjs'

import type { DeliveryMode } from '../delivery.js'
import { StreamError } from '../errors.js'
import type { Result } from '../envelope.js'
import type { DeviceChoice } from '../model/device/device.js'
import type { Model } from '../model/model.js'
import type { RunModel } from '../operators/run-context.js'
import type { Sink } from '../sinks/sink.js'
import type { Source } from '../sources/source.js'
import type { Frame, StreamInfo } from '../types.js'
import { pipelineMistakes } from './pipeline-schema.js'

/** What a stream's chain of operators is made with. */
export interface StreamContext {
  /** The pipeline's model, bound to this run. */
  readonly model: RunModel
  /** The stream the chain is for. */
  readonly stream: StreamInfo
}

/** A declared pipeline. */
export interface Pipeline {
  /** Names the pipeline in results and events. */
  readonly name: string
  /**
   * Folder of a converted bundle; or a model that is loaded already, which then stays yours to dispose; or
   * `null` for a pipeline that asks nothing, e.g. one that samples frames and hands them on.
   *
   * @default the embedded demo model
   */
  readonly model?: string | Model | null
  /** Where a model runs that is named by its folder; `tinyllava-stream doctor` says what there is. @default 'auto' */
  readonly device?: DeviceChoice
  /** Where frames come from; each id once. With none the run waits for sources to be added, until it is stopped. */
  readonly sources: readonly Source[]
  /** Makes the chain of operators of one stream. Called once for each stream, also for those found later. */
  readonly stream: (frames: Observable<Frame>, context: StreamContext) => Observable<Result>
  /** Where results go; each is handed every result. @default none: read `run.answers$` */
  readonly sinks?: readonly Sink[]
  /** What is promised about results that come from Kafka. @default 'at-least-once' */
  readonly delivery?: DeliveryMode
  /** How long `run.stop` waits for what was taken to be finished, in milliseconds, at most 2147483647. @default 30000 */
  readonly drainTimeoutMs?: number
}

/**
 * Declares a pipeline: sources, one chain of operators a stream, and sinks.
 *
 * Nothing is opened before `start`. The declaration is checked here, so that a mistake shows at once
 * and not after minutes of loading.
 *
 * @example
 * ```ts
 * export default definePipeline({
 *   name: 'describe',
 *   sources: [file('clip.mp4', { id: 'clip', sampling: uniform(16) })],
 *   stream: (frames, { model }) => frames.pipe(encode(model), wholeClip(), answer(model, 'What happens?')),
 *   sinks: [jsonLines('answers.jsonl')],
 * })
 * ```
 *
 * @returns The same declaration, frozen.
 * @throws {StreamError} `PIPELINE_INVALID`: every mistake at once, each with its path, what was expected and what came.
 */
export function definePipeline(pipeline: Pipeline): Pipeline {
  const mistakes = pipelineMistakes(pipeline)
  if (mistakes.length > 0) throw new StreamError('PIPELINE_INVALID', mistakes.join(' '))
  return Object.freeze({
    ...pipeline,
    sources: Object.freeze([...pipeline.sources]),
    sinks: Object.freeze([...(pipeline.sinks ?? [])]),
  })
}
