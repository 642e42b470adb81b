import { StreamError } from '../errors.js'
import type { Answer, ErrorResult, QuestionResult } from '../envelope.js'
import type { ErrorCode } from '../errors.js'
import type { QuestionReceipt } from '../ledger.js'
import type { Need } from '../needs.js'
import { withOrigin } from '../origin.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model, VisualTokens } from '../model/model.js'
import { traced } from '../tracing.js'
import type { Clip, Question, Round } from '../types.js'
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
  /** Earlier rounds of the conversation; see `GenerateOptions`. */
  readonly rounds?: readonly Round[]
}

/** What is asked of a clip. */
export interface Questioning {
  readonly clip: Clip
  readonly questions: readonly Question[]
  /** @default made for these questions */
  readonly connect?: ConnectOnce
}

/**
 * Asks a clip's questions in turn, but for those that were answered before this process began. A receipt is
 * opened with its task: one that nobody takes has none to settle.
 */
export function* toTasks(context: AnswerContext, { clip, questions, connect }: Questioning): Iterable<AnswerTask> {
  const connectClip = connect ?? connectOnce(context.model, clip)
  const { stream } = clip
  let isFirst = true
  for (const question of questions) {
    const id = idOf(askedOf(context, clip, question))
    if (stream.isAnswered?.(id) === true) continue
    yield { clip, question, receipt: stream.ledger.question(needOf(clip)), connect: connectClip, isFirst }
    isFirst = false
  }
}

/** Makes a clip's visual tokens when they are first wanted. */
function connectOnce(model: Model, clip: Clip): ConnectOnce {
  let visual: Promise<VisualTokens> | undefined
  return (signal) => {
    const features = clip.frames.map((frame) => frame.features)
    visual ??= model.connect(features, { signal }).catch((error: unknown) => {
      // The next question, or the next try, begins anew.
      visual = undefined
      throw error
    })
    return visual
  }
}

/** Closes a question's receipt with its result. */
export function settleTask({ receipt }: AnswerTask, result: QuestionResult): void {
  receipt.settle(result.kind === 'answer' ? { kind: 'answered' } : { kind: 'failed', code: result.error.code })
}

function askedOf({ model, run, generation, rounds }: AnswerContext, clip: Clip, question: Question): Asked {
  return { pipeline: run.pipeline, model: model.info, clip, question, generation, ...(rounds && { rounds }) }
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
  const { run, retries } = context
  const { clip, question } = task
  const asked = askedOf(context, clip, question)
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
  const { model, run, generation, rounds } = context
  const { question, clip } = task
  const streamId = clip.stream.id
  const visual = await task.connect(signal)
  run.emit({ kind: 'answer-start', id, streamId, question })
  const onDelta = (text: string): void => {
    run.emit({ kind: 'answer-delta', id, streamId, text })
  }
  const generated = await model.generate(visual, question, { ...generation, ...(rounds && { rounds }), signal, onDelta })
  return answerResult(asked, { ...generated, connectMs: visual.connectMs })
}
