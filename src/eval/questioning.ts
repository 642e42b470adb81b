import { type ErrorCode, StreamError, throwIfAborted } from '../errors.js'
import { type AskContext, type Outcomes, type ShownQuestion, askShown, askText, groupBy } from './ask-media.js'
import type { EvalSample } from './benchmark.js'
import { guessFor } from './guess.js'
import type { KeptAnswer, ResultsFile } from './results-file.js'

/** How far an evaluation is. */
export interface EvalProgress {
  /** Questions answered or passed over, those of earlier runs included. */
  readonly done: number
  readonly total: number
}

/** A question that was passed over, with the reason. */
export interface SkippedQuestion {
  readonly id: string
  readonly error: StreamError
}

/** How questions are asked. */
export interface AskAllOptions {
  /** Passes over questions that can't be asked, instead of ending. */
  readonly skipMissing: boolean
  readonly onQuestion: ((progress: EvalProgress) => void) | undefined
}

/** Asks what is not answered yet, one video after the other. */
export class Questioning {
  readonly #results: ResultsFile
  readonly #samples: readonly EvalSample[]
  readonly #context: AskContext
  readonly #skipped: SkippedQuestion[] = []

  constructor(results: ResultsFile, samples: readonly EvalSample[], context: AskContext) {
    this.#results = results
    this.#samples = samples
    this.#context = context
  }

  /** @returns the questions that were passed over. */
  async askAll({ skipMissing, onQuestion }: AskAllOptions): Promise<readonly SkippedQuestion[]> {
    const total = this.#samples.length
    const open = this.#samples.filter(({ id }) => !this.#results.answers.has(id))
    let done = total - open.length
    onQuestion?.({ done, total })
    for (const alike of groupBy(open, placeOf).values()) {
      throwIfAborted(this.#context.signal, 'The evaluation')
      await this.#ask(alike, skipMissing)
      done += alike.length
      onQuestion?.({ done, total })
    }
    return this.#skipped
  }

  async #ask(samples: readonly EvalSample[], skipMissing: boolean): Promise<void> {
    const outcomes = await outcomesOf(samples, this.#context)
    // What was answered is kept first; the others are asked again by the next run.
    const failed: SkippedQuestion[] = []
    for (const sample of samples) {
      const outcome = outcomes.get(sample.id)
      if (outcome === undefined) throw new Error(`Question ${sample.id} has no outcome.`)
      if ('error' in outcome) failed.push({ id: sample.id, error: ofQuestion(sample.id, outcome.error) })
      else await this.#keep(sample, outcome)
    }
    for (const { id, error } of failed) {
      if (!skipMissing || !isOfOneQuestion(error)) throw error
      await this.#skip(id, error)
    }
  }

  async #keep(sample: EvalSample, { answer, degraded = [] }: KeptAnswer): Promise<void> {
    const verdict = sample.judge(answer, guessFor(sample.id))
    await this.#results.append({ id: sample.id, answer, ...verdict, ...(degraded.length > 0 && { degraded: [...degraded] }) })
  }

  async #skip(id: string, error: StreamError): Promise<void> {
    const { code, message } = error
    this.#skipped.push({ id, error })
    await this.#results.append({ id, skipped: { code, message } })
  }
}

/** @param samples All about one file, or a single one that shows nothing. */
async function outcomesOf(samples: readonly EvalSample[], context: AskContext): Promise<Outcomes> {
  const outcomes = new Map(await askShown(samples.filter(isShown), context))
  for (const { id, media } of samples) {
    if (media.kind === 'nothing') outcomes.set(id, { answer: media.answer(guessFor(id)) })
    if (media.kind === 'text') outcomes.set(id, await askText(media.question, context))
  }
  return outcomes
}

/** The same error, said of a question. */
function ofQuestion(id: string, cause: StreamError): StreamError {
  return new StreamError(cause.code, `Question ${id}: ${cause.message}`, { cause })
}

/** What can befall one question while the next can be answered. */
const OF_ONE_QUESTION: readonly ErrorCode[] = ['PROMPT_TOO_LONG', 'MODEL_FAILED', 'EVAL_DATA_NOT_FOUND', 'EVAL_DATA_INVALID']

/** A decoder that died says nothing of the video: the next try may go well. */
function isOfOneQuestion({ code }: StreamError): boolean {
  if (code === 'VIDEO_DECODER_FAILED') return false
  return OF_ONE_QUESTION.includes(code) || /^(VIDEO|FRAME|EVAL_VIDEO)_/.test(code)
}

/** Questions about one file are asked together; of those that show nothing, each by itself. */
function placeOf({ id, media }: EvalSample): string {
  return 'path' in media ? `${media.kind} ${media.path}` : `${media.kind} ${id}`
}

function isShown(sample: EvalSample): sample is EvalSample & ShownQuestion {
  return 'path' in sample.media
}
