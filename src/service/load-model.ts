import { lastValueFrom, toArray } from 'rxjs'

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
import type { Source } from '../sources/source.js'
import { videoOrImage } from '../sources/video-or-image.js'
import type { Question, Round } from '../types.js'
import { unlessAborted } from './abort.js'
import { beginConversation } from './conversation.js'
import type { Conversation } from './conversation.js'
import { oneVideo } from './one-video.js'
import { openModel } from './open-model.js'
import type { OpenModelOptions } from './open-model.js'

/** How a video is asked about. */
export interface AskOptions extends Partial<GenerationSettings> {
  /** Which frames of a video are looked at that is named by its path; a picture has but one. @default uniform(16) */
  readonly sampling?: Sampling
  /** Earlier rounds of a conversation about the video, which each question goes on with. @default none */
  readonly rounds?: readonly Round[]
  /** Stops asking; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** Told of pieces of text as the model makes them. */
  readonly onEvent?: (event: AnswerEvent) => void
}

/** How a conversation about a video is begun. */
export interface ConverseOptions extends Partial<GenerationSettings> {
  /** Which frames of a video are looked at that is named by its path; a picture has but one. @default uniform(16) */
  readonly sampling?: Sampling
  /** Stops reading the video; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/** A loaded model that can be asked about a video. */
export interface LoadedModel extends Model {
  /**
   * Asks about a whole video.
   *
   * @param video Path or http(s) address of a video or of a picture (JPEG, PNG, WebP), or a finite source.
   * @param question One question, answered by one answer; or several, by as many in the same order.
   * @throws {StreamError} Any code; for a question that can't be answered that of its error result.
   */
  ask(video: string | Source, question: Question, options?: AskOptions): Promise<Answer>
  ask(video: string | Source, questions: readonly Question[], options?: AskOptions): Promise<readonly Answer[]>
  /**
   * Begins a conversation about a whole video: each question knows those before it. The video is read and encoded once.
   *
   * @param video Path or http(s) address of a video or of a picture (JPEG, PNG, WebP), or a finite source.
   * @throws {StreamError} Any code.
   *
   * @example
   * ```ts
   * const conversation = await model.converse('clip.mp4')
   * await conversation.ask('What is on the table?')
   * await conversation.ask('Which colour is it?')
   * ```
   */
  converse(video: string | Source, options?: ConverseOptions): Promise<Conversation>
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

/** Adds `ask` and `converse` to a model. */
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
  const converse: LoadedModel['converse'] = async (video, { sampling, ...options } = {}) =>
    await beginConversation(model, sourceOf(video, sampling), options)
  return extendModel(model, { ask, converse })
}

async function askAll(
  model: Model,
  video: string | Source,
  { asked, sampling, signal, onEvent, ...generation }: AskOptions & { asked: Question | readonly Question[] },
): Promise<readonly QuestionResult[]> {
  const source = sourceOf(video, sampling)
  const bound = bindModel(model, { pipeline: 'ask', emit: onEvent ?? (() => undefined) })
  const results = oneVideo(source, (frames) => frames.pipe(encode(bound), wholeClip(), answer(bound, asked, generation)))
  return await lastValueFrom(results.pipe(toArray(), unlessAborted(signal, 'The question')))
}

function sourceOf(video: string | Source, sampling: Sampling = uniform(16)): Source {
  return typeof video === 'string' ? videoOrImage(video, { sampling }) : video
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
