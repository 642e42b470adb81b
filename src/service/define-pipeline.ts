import type { Observable } from 'rxjs'

import { StreamError } from '../errors.js'
import type { Result } from '../envelope.js'
import type { Model } from '../model/model.js'
import type { RunModel } from '../operators/run-context.js'
import type { Sink } from '../sinks/sink.js'
import type { Source } from '../sources/source.js'
import type { Frame, StreamInfo } from '../types.js'

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
   * Folder of a converted bundle; or a model that is loaded already, which then stays yours to dispose.
   *
   * @default the embedded demo model
   */
  readonly model?: string | Model
  /** Where frames come from; each id once. */
  readonly sources: readonly Source[]
  /** Makes the chain of operators of one stream. Called once for each stream, also for those found later. */
  readonly stream: (frames: Observable<Frame>, context: StreamContext) => Observable<Result>
  /** Where results go; each is handed every result. @default none: read `run.answers$` */
  readonly sinks?: readonly Sink[]
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
 * @throws {StreamError} `PIPELINE_INVALID`, saying what was expected and what came.
 */
export function definePipeline(pipeline: Pipeline): Pipeline {
  // A pipeline may come from JavaScript, or from a file that nobody type-checked.
  const given: Readonly<Record<string, unknown>> = expectObject('The pipeline', pipeline)
  expectThat(typeof given.name === 'string' && given.name.trim() !== '', 'name', 'a name', given.name)
  expectThat(isModel(given.model), 'model', 'the folder of a bundle, or a loaded model', given.model)
  const isFunction = typeof given.stream === 'function'
  expectThat(isFunction, 'stream', 'a function (frames, { model }) => results', given.stream)
  checkSources(given.sources)
  checkSinks(given.sinks ?? [])
  return Object.freeze({
    ...pipeline,
    sources: Object.freeze([...pipeline.sources]),
    sinks: Object.freeze([...(pipeline.sinks ?? [])]),
  })
}

function isModel(model: unknown): boolean {
  if (typeof model === 'string') return model.trim() !== ''
  return model === undefined || (isObject(model) && typeof model.generate === 'function')
}

function checkSources(sources: unknown): void {
  expectThat(Array.isArray(sources) && sources.length > 0, 'sources', 'a list of at least one source', sources)
  const ids = new Set<unknown>()
  for (const [place, source] of (sources as readonly unknown[]).entries()) {
    const isSource = isObject(source) && typeof source.id === 'string' && isObject(source.streams)
    expectThat(isSource, `sources[${place}]`, 'a source, as `file(…)` makes it', source)
    const { id } = source as Record<string, unknown>
    if (ids.has(id)) throw invalid(`Two sources have the id \`${String(id)}\`: give each its own.`)
    ids.add(id)
  }
}

function checkSinks(sinks: unknown): void {
  expectThat(Array.isArray(sinks), 'sinks', 'a list of sinks', sinks)
  for (const [place, sink] of (sinks as readonly unknown[]).entries()) {
    const isSink = isObject(sink) && typeof sink.write === 'function'
    expectThat(isSink, `sinks[${place}]`, 'a sink, as `jsonLines(…)` makes it', sink)
  }
}

function expectObject(what: string, value: unknown): Record<string, unknown> {
  if (isObject(value)) return value
  throw invalid(`${what} is ${describe(value)}, not a declaration: export what \`definePipeline\` returns.`)
}

function expectThat(isRight: boolean, name: string, expected: string, value: unknown): void {
  if (!isRight) throw invalid(`Expected \`${name}\` to be ${expected}, got ${describe(value)}.`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The kind of a value, never its content: a declaration may hold credentials. */
function describe(value: unknown): string {
  if (value === undefined || value === null || value === '') return value === '' ? 'an empty text' : String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return `a value of type ${typeof value}`
}

function invalid(message: string): StreamError {
  return new StreamError('PIPELINE_INVALID', message)
}
