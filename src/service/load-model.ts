import { concatMap, lastValueFrom, map, throwIfEmpty, toArray } from 'rxjs'

import type { Answer, QuestionResult } from '../envelope.js'
import { StreamError } from '../errors.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model } from '../model/model.js'
import { answer } from '../operators/answer.js'
import { encode } from '../operators/encode.js'
import { errorOf } from '../operators/result.js'
import { bindModel, extendModel } from '../operators/run-context.js'
import type { AnswerEvent } from '../operators/run-context.js'
import { wholeClip } from '../operators/whole-clip.js'
import type { Sampling } from '../sampling/sampling.js'
import { uniform } from '../sampling/uniform.js'
import { file } from '../sources/file.js'
import type { FrameStream, Source } from '../sources/source.js'
import type { Question } from '../types.js'
import { unlessAborted } from './abort.js'
import { openModel } from './open-model.js'
import type { OpenModelOptions } from './open-model.js'

/** How a video is asked about. */
export interface AskOptions extends Partial<GenerationSettings> {
  /** Which frames are looked at. @default uniform(16) */
  readonly sampling?: Sampling
  /** Stops asking; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** Told of pieces of text as the model makes them. */
  readonly onEvent?: (event: AnswerEvent) => void
}

/** A loaded model that can be asked about a video. */
export interface LoadedModel extends Model {
  /**
   * Asks about a whole video.
   *
   * @param video Path of a file, or a finite source.
   * @param question One question, answered by one answer; or several, by as many in the same order.
   * @throws {StreamError} Any code; for a question that can't be answered that of its error result.
   */
  ask(video: string | Source, question: Question, options?: AskOptions): Promise<Answer>
  ask(video: string | Source, questions: readonly Question[], options?: AskOptions): Promise<readonly Answer[]>
}

/**
 * Loads a model to ask it about videos, without a pipeline.
 *
 * @example
 * ```ts
 * const model = await loadModel('./models/tinyllava-video-qwen2.5-3b-group-16-512')
 * const { answer } = await model.ask('clip.mp4', 'What happens?')
 * await model.dispose()
 * ```
 *
 * @param bundle Folder of a converted bundle; left out: the embedded demo model.
 * @param options Threads, device, how to stop it.
 * @throws {StreamError} `BUNDLE_*`, `MODEL_*`, `ABORTED`; for the demo model also `CONVERT_*`.
 */
export async function loadModel(bundle?: string, options: OpenModelOptions = {}): Promise<LoadedModel> {
  const { model } = await openModel(bundle, options)
  return toLoadedModel(model)
}

/** Adds `ask` to a model. */
export function toLoadedModel(model: Model): LoadedModel {
  const ask: LoadedModel['ask'] = async (
    video: string | Source,
    asked: Question | readonly Question[],
    options: AskOptions = {},
  ) => {
    const answers = (await askAll(model, video, { ...options, asked })).map(expectAnswer)
    // The overloads say it: one question, one answer; a list, a list.
    return (typeof asked === 'string' ? expectOne(answers) : answers) as Answer & readonly Answer[]
  }
  return extendModel(model, { ask })
}

async function askAll(
  model: Model,
  video: string | Source,
  { asked, sampling, signal, onEvent, ...generation }: AskOptions & { asked: Question | readonly Question[] },
): Promise<readonly QuestionResult[]> {
  const source = typeof video === 'string' ? file(video, { sampling: sampling ?? uniform(16) }) : video
  const bound = bindModel(model, { pipeline: 'ask', emit: onEvent ?? (() => undefined) })
  const results = source.streams.pipe(
    map(expectFirst),
    concatMap(({ frames }) => frames.pipe(encode(bound), wholeClip(), answer(bound, asked, generation))),
    throwIfEmpty(() => new StreamError('VIDEO_NO_FRAMES', `The source "${source.id}" gave no frame to ask about.`)),
    toArray(),
  )
  return await lastValueFrom(results.pipe(unlessAborted(signal, 'The question')))
}

/** A second stream is another video, whose answers nobody could tell from the first one's. */
function expectFirst(stream: FrameStream, place: number): FrameStream {
  if (place === 0) return stream
  const message = '`ask` takes one video, and the source gave a second stream. Ask about each, or `start` a pipeline.'
  throw new StreamError('PIPELINE_INVALID', message)
}

function expectOne(answers: readonly Answer[]): Answer | undefined {
  if (answers.length === 1) return answers[0]
  const message = `The stream carries ${answers.length} questions of its own, which take the place of the one asked: ask a list.`
  throw new StreamError('PIPELINE_INVALID', message)
}

function expectAnswer(result: QuestionResult): Answer {
  if (result.kind === 'answer') return result
  throw errorOf(result)
}
