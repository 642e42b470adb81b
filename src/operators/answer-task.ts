import { StreamError } from '../errors.js'
import type { Answer, ErrorResult, QuestionResult } from '../envelope.js'
import type { ErrorCode } from '../errors.js'
import type { QuestionReceipt } from '../ledger.js'
import type { Need } from '../needs.js'
import { withOrigin } from '../origin.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model, VisualTokens } from '../model/model.js'
import { traced } from '../tracing.js'
import type { Clip, Question } from '../types.js'
import { resultAttributes, spanOf } from './answer-span.js'
import { answerResult, errorOf, errorResult, idOf } from './result.js'
import type { Asked } from './result.js'
import { withRetries } from './retry.js'
import type { RunContext } from './run-context.js'

/** Errors of one question, which become its result. Any other error is not the question's fault and ends the stream. */
const QUESTION_ERRORS: ReadonlySet<ErrorCode> = new Set(['MODEL_FAILED', 'MODEL_WORKER_DIED', 'PROMPT_TOO_LONG'])

/** A clip's visual tokens: made by its first question, shared by all. */
export type ConnectOnce = (signal: AbortSignal) => Promise<VisualTokens>

/** One question about one clip. */
export interface AnswerTask {
  readonly clip: Clip
  readonly question: Question
  readonly receipt: QuestionReceipt
  readonly connect: ConnectOnce
  /** Whether it is the first one about its clip. */
  readonly isFirst: boolean
}

/** What questions are answered with. */
export interface AnswerContext {
  readonly model: Model
  readonly run: RunContext
  readonly generation: GenerationSettings
  readonly retries: number
}

/**
 * Asks a clip's questions in turn, but for those that were answered before this process began. A receipt is
 * opened with its task: one that nobody takes has none to settle.
 */
export function* toTasks(
  { model, run, generation }: AnswerContext,
  clip: Clip,
  questions: readonly Question[],
): Iterable<AnswerTask> {
  let visual: Promise<VisualTokens> | undefined
  const connect: ConnectOnce = (signal) => {
    const features = clip.frames.map((frame) => frame.features)
    visual ??= model.connect(features, { signal }).catch((error: unknown) => {
      // The next question, or the next try, begins anew.
      visual = undefined
      throw error
    })
    return visual
  }
  const { stream } = clip
  let isFirst = true
  for (const question of questions) {
    const id = idOf({ pipeline: run.pipeline, model: model.info, clip, question, generation })
    if (stream.isAnswered?.(id) === true) continue
    yield { clip, question, receipt: stream.ledger.question(needOf(clip)), connect, isFirst }
    isFirst = false
  }
}

/** What must be read again to make the clip anew. */
function needOf({ need, frames }: Clip): Need {
  return need ?? { from: Math.min(...frames.map(({ position }) => position)) }
}

/** Answers one question, as one span of its clip's trace. Rejects where the error isn't the question's own. */
export async function runTask(task: AnswerTask, context: AnswerContext, signal: AbortSignal): Promise<QuestionResult> {
  const { clip } = task
  return await traced(spanOf(clip, context), async (span) => {
    const result = await answerOrError(task, context, signal)
    if (result.kind === 'error') span.fail(errorOf(result))
    span.set(resultAttributes(result))
    return withOrigin(result, { need: needOf(clip), ...(span.carrier === undefined ? {} : { trace: span.carrier }) })
  })
}

async function answerOrError(task: AnswerTask, context: AnswerContext, signal: AbortSignal): Promise<QuestionResult> {
  const { model, run, generation, retries } = context
  const { clip, question } = task
  const asked: Asked = { pipeline: run.pipeline, model: model.info, clip, question, generation }
  const [id, streamId] = [idOf(asked), clip.stream.id]
  const result = await withRetries(() => generate(task, asked, { context, id, signal }), retries).catch(
    (error: unknown): ErrorResult => {
      if (error instanceof StreamError && QUESTION_ERRORS.has(error.code)) return errorResult(asked, error)
      throw error
    },
  )
  run.emit({ kind: 'answer-end', id, streamId, outcome: result.kind === 'answer' ? result.finishReason : 'error' })
  return result
}

async function generate(
  task: AnswerTask,
  asked: Asked,
  { context, id, signal }: { context: AnswerContext; id: string; signal: AbortSignal },
): Promise<Answer> {
  const { model, run, generation } = context
  const { question, clip } = task
  const streamId = clip.stream.id
  const visual = await task.connect(signal)
  run.emit({ kind: 'answer-start', id, streamId, question })
  const onDelta = (text: string): void => {
    run.emit({ kind: 'answer-delta', id, streamId, text })
  }
  const generated = await model.generate(visual, question, { ...generation, signal, onDelta })
  return answerResult(asked, { ...generated, connectMs: visual.connectMs })
}
