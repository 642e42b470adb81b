import type { ErrorResult } from '../envelope.js'
import { type ErrorCode, StreamError, throwIfAborted } from '../errors.js'
import { errorOf } from '../operators/result.js'
import { type AskContext, type MediaQuestion, askMedia, groupBy } from './ask-media.js'
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

/** What can befall one question while the next can be answered. */
const OF_ONE_QUESTION: readonly ErrorCode[] = ['PROMPT_TOO_LONG', 'MODEL_FAILED']

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
    for (const sample of samples) {
      if (sample.media.kind === 'nothing') await this.#keep(sample, { answer: sample.media.answer(guessFor(sample.id)) })
    }
    const shown = samples.filter(isShown)
    const results = await askMedia(shown, this.#context).catch(async (error: unknown) => {
      await this.#skipMedia(shown, error, skipMissing)
      return new Map<string, never>()
    })
    // What was answered is kept first; the others are asked again by the next run.
    const failed: { id: string; result: ErrorResult }[] = []
    for (const sample of shown) {
      const result = results.get(sample.id)
      if (result?.kind === 'answer') await this.#keep(sample, result)
      else if (result !== undefined) failed.push({ id: sample.id, result })
    }
    for (const { id, result } of failed) await this.#skipOne(id, errorOf(result), skipMissing)
  }

  async #keep(sample: EvalSample, { answer, degraded = [] }: KeptAnswer): Promise<void> {
    const verdict = sample.judge(answer, guessFor(sample.id))
    await this.#results.append({ id: sample.id, answer, ...verdict, ...(degraded.length > 0 && { degraded: [...degraded] }) })
  }

  /** Passes over all questions about a video that is missing or broken. */
  async #skipMedia(samples: readonly EvalSample[], error: unknown, skipMissing: boolean): Promise<void> {
    throwIfAborted(this.#context.signal, 'The evaluation')
    if (!skipMissing || !isMediaFault(error)) throw error
    for (const { id } of samples) await this.#skip(id, error)
  }

  async #skipOne(id: string, cause: StreamError, skipMissing: boolean): Promise<void> {
    const error = new StreamError(cause.code, `Question ${id}: ${cause.message}`, { cause })
    if (!skipMissing || !OF_ONE_QUESTION.includes(error.code)) throw error
    await this.#skip(id, error)
  }

  async #skip(id: string, error: StreamError): Promise<void> {
    const { code, message } = error
    this.#skipped.push({ id, error })
    await this.#results.append({ id, skipped: { code, message } })
  }
}

/** A decoder that died says nothing of the video: the next try may go well. */
function isMediaFault(error: unknown): error is StreamError {
  return error instanceof StreamError && /^(VIDEO|FRAME|EVAL_VIDEO)_/.test(error.code) && error.code !== 'VIDEO_DECODER_FAILED'
}

/** Questions about one file are asked together; of those that show nothing, each by itself. */
function placeOf({ id, media }: EvalSample): string {
  return media.kind === 'nothing' ? `nothing ${id}` : `${media.kind} ${media.path}`
}

function isShown(sample: EvalSample): sample is EvalSample & MediaQuestion {
  return sample.media.kind !== 'nothing'
}
