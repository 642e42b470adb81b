import { map, mergeMap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'

import { expectInteger, expectText } from '../checks.js'
import type { QuestionResult } from '../envelope.js'
import { StreamError } from '../errors.js'
import { resolveGeneration } from '../generation-settings.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model } from '../model/model.js'
import type { Clip, Question, Round } from '../types.js'
import { runTask, settleTask, toTasks } from './answer-task.js'
import type { AnswerContext, AnswerTask } from './answer-task.js'
import { mapBounded } from './map-bounded.js'
import type { RunContext } from './run-context.js'

/** How `answer` asks: generation settings, and bounds. */
export interface AnswerOptions extends Partial<GenerationSettings> {
  /** Most questions of a stream under way at once: they gain tokens side by side and share the clip. @default 4 */
  readonly concurrency?: number
  /** Most clips that may wait, each with all its questions; far more than `encode` lets through. @default 1024 */
  readonly queue?: number
  /** Repetitions after an error that can be retried. @default 1 */
  readonly retries?: number
  /** Earlier rounds of a conversation about each clip, which each question goes on with. @default none */
  readonly rounds?: readonly Round[]
}

/** Outside a run: results carry no pipeline's name, and nobody listens. */
const NO_RUN: RunContext = { pipeline: '', emit: () => undefined }

/**
 * Asks questions about each clip; emits one result a question.
 *
 * ```
 * clips                              a-------b------|
 * answer(model, ['first', 'second']) ----A1--A2--B1--(B2|)
 * ```
 *
 * A clip is connected once and taken in by the language model once; its questions are answered side by side.
 * Questions that the clip's stream carries take the place of `questions`. Results come in the order of clips
 * and questions.
 *
 * - **next**: the clip's questions are opened in its stream's ledger, which makes `encode` wait while
 *   too many are; a question is settled when its result is emitted.
 * - **an error of one question** (`MODEL_FAILED` and `MODEL_WORKER_DIED` after `retries`,
 *   `PROMPT_TOO_LONG`) becomes an error result, and the stream goes on. Any other error (an unknown
 *   template, a disposed model, a mistake in code) ends the output, after the results before it.
 * - **complete**, **error** of the source: passed on after the questions that were asked.
 * - **unsubscribe** aborts the model's work; questions not answered are settled as failed, `ABORTED`.
 *
 * In a run, pieces of text go to `run.events$` as the model makes them; this emits whole results.
 *
 * **Memory**: the clips of the questions that are open, which `encode` bounds with `questionsAhead`. In a
 * pipeline without it, more than `queue` waiting clips end the output with `PIPELINE_INVALID`.
 *
 * @example
 * ```ts
 * clips.pipe(answer(model, ['What happens?', 'Is anybody at the door?'], { maxNewTokens: 64 }))
 * ```
 *
 * @param model The model; the one that `stream` of a pipeline is handed also knows the run.
 * @param questions One question or several; none, where each stream carries its own.
 * @param options Generation settings and bounds.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function answer(
  model: Model & { readonly run?: RunContext },
  questions: Question | readonly Question[],
  options: AnswerOptions = {},
): OperatorFunction<Clip, QuestionResult> {
  const { concurrency = 4, queue = 1024, retries = 1, rounds, ...settings } = options
  const asked = checkQuestions(questions)
  const context: AnswerContext = {
    model,
    run: model.run ?? NO_RUN,
    generation: resolveGeneration(settings),
    retries: expectInteger('retries', retries, 0),
    ...(rounds && { rounds }),
  }
  const answerInTurn = mapBounded(
    (tasks: readonly AnswerTask[], signal: AbortSignal) =>
      Promise.all(tasks.map((task) => answerTask(task, context, signal))),
    { concurrency, queue, placesOf, onDiscard: settleAsStopped },
  )
  return (clips) =>
    clips.pipe(
      mergeMap((clip) => toTasks(context, { clip, questions: questionsOf(clip, asked) })),
      answerInTurn,
      map(settle),
    )
}

interface Settleable {
  readonly task: AnswerTask
  readonly result: QuestionResult
}

async function answerTask(task: AnswerTask, context: AnswerContext, signal: AbortSignal): Promise<Settleable> {
  return { task, result: await runTask(task, context, signal) }
}

function settle({ task, result }: Settleable): QuestionResult {
  settleTask(task, result)
  return result
}

/** Clips are counted, not questions: it is their frames that fill memory, and a list of questions may be long. */
function placesOf({ isFirst }: AnswerTask): number {
  return isFirst ? 1 : 0
}

function settleAsStopped({ receipt }: AnswerTask): void {
  receipt.settle({ kind: 'failed', code: 'ABORTED' })
}

function checkQuestions(questions: Question | readonly Question[]): readonly Question[] {
  return (typeof questions === 'string' ? [questions] : questions).map((question) => expectText('question', question))
}

/** The stream's own questions, else the pipeline's. */
function questionsOf({ stream }: Clip, questions: readonly Question[]): readonly Question[] {
  const own = stream.questions ?? []
  if (own.length > 0) return own
  if (questions.length > 0) return questions
  throw new StreamError(
    'PIPELINE_INVALID',
    `No question: \`answer\` was given none, and the stream "${stream.id}" carries none.`,
  )
}
