import { StreamError, throwIfAborted } from '../errors.js'
import type { Model } from '../model/model.js'
import { errorOf } from '../operators/result.js'
import type { OpenModelOptions } from '../service/open-model.js'
import { openModel } from '../service/open-model.js'
import { type AskContext, type MediaQuestion, askMedia, groupBy } from './ask-media.js'
import type { Benchmark, EvalFile, EvalSample, Judged, Score } from './benchmark.js'
import { findBenchmark } from './benchmarks.js'
import { DataFolder } from './data-folder.js'
import type { FrameBudget } from './frames/frame-budget.js'
import { guessFor } from './guess.js'
import { expectMedia } from './missing-media.js'
import { type ResultsHeader, ResultsFile } from './results-file.js'

/** How a benchmark is run. */
export interface RunBenchmarkOptions extends OpenModelOptions {
  /** Name of the benchmark, e.g. `video-mme`. */
  readonly benchmark: string
  /** The benchmark's folder, laid out as `docs/EVALUATION.md` says. */
  readonly data: string
  /** Folder of a converted bundle, or a loaded model. @default the embedded demo model */
  readonly model?: string | Model
  /** File of the answers, a line of JSON each. */
  readonly results: string
  /** Takes over the answers that are in the file. @default false: the file must not be there */
  readonly resume?: boolean
  /** Asks only the first so many questions. @default all */
  readonly limit?: number
  /** How many frames of a video are looked at. @default as the reference's script for the benchmark sets it */
  readonly frames?: FrameBudget
  /** Most tokens of an answer. @default as the reference's script sets it: 1024, or 128 where answers are short */
  readonly maxNewTokens?: number
  /** Chat template by its registered name. @default the bundle's */
  readonly template?: string
  /** Passes over questions whose video is missing or can't be read, instead of ending. @default false */
  readonly skipMissing?: boolean
  /** Told after each question how far it is. */
  readonly onQuestion?: (progress: EvalProgress) => void
}

/** How far an evaluation is. */
export interface EvalProgress {
  /** Questions answered or passed over, those of earlier runs included. */
  readonly done: number
  readonly total: number
}

/** What came out. */
export interface BenchmarkRun {
  /** The benchmark's own name. */
  readonly title: string
  readonly score: Score
  /** Questions that were answered, those of earlier runs included. */
  readonly answered: number
  /** Questions that were passed over, with the reason. */
  readonly skipped: readonly { readonly id: string; readonly error: StreamError }[]
  /** Files in the form in which the reference writes them, for tools that score elsewhere. */
  readonly files: readonly EvalFile[]
}

/**
 * Asks a model the questions of a benchmark, as TinyLLaVA-Video and TinyLLaVA_Factory ask them, and scores the answers
 * as they do. See `docs/EVALUATION.md`.
 *
 * Answers about one video are in the results file before the next is opened, so a run that was ended, even killed, goes
 * on with `resume`. Answers are greedy. Where an answer names no choice the reference draws lots; here the question's id
 * decides, so that one file of answers has one score.
 *
 * @throws {StreamError} `SETTING_INVALID` (no such benchmark), `EVAL_DATA_NOT_FOUND`, `EVAL_DATA_INVALID`,
 *   `EVAL_VIDEO_DIFFERS`,
 *   `EVAL_RESULTS_EXIST`, `EVAL_RESULTS_DIFFER`, `SINK_FAILED`, `ABORTED`; whatever loading the model, reading videos and
 *   answering throw.
 *
 * @example
 * ```ts
 * const { score } = await runBenchmark({ benchmark: 'mvbench', data: './MVBench', model: './bundle', results: 'mvbench.jsonl' })
 * console.table(score.final)
 * ```
 */
export async function runBenchmark(options: RunBenchmarkOptions): Promise<BenchmarkRun> {
  const { limit, skipMissing = false, signal = new AbortController().signal } = options
  const benchmark = findBenchmark(options.benchmark)
  const folder = new DataFolder(options.data)
  const data = await benchmark.read(folder)
  const samples = data.samples.slice(0, limit)
  if (!skipMissing) await expectMedia(samples)
  throwIfAborted(signal, 'The evaluation')

  const { model, close } = await openModel(options.model, options)
  try {
    const settings = settingsOf(options, benchmark, model)
    const header = { ...headerOf(options, settings, model), data: folder.digest() }
    const results = await ResultsFile.open(options.results, { header, resume: options.resume ?? false })
    try {
      const { budget, ...generation } = settings
      const run = new Questioning(results, samples, { model, budget, generation, signal })
      const skipped = await run.askAll({ skipMissing, onQuestion: options.onQuestion })
      const judged = judgeAll(samples, results.answers)
      const answerer = { model: model.info.name, template: settings.template }
      const files = data.files?.(judged, answerer) ?? []
      return { title: benchmark.title, score: benchmark.score(judged), answered: judged.length, skipped, files }
    } finally {
      await results.close()
    }
  } finally {
    await close()
  }
}

interface Settings {
  readonly budget: FrameBudget
  readonly maxNewTokens: number
  readonly template: string
}

function settingsOf({ frames, maxNewTokens, template }: RunBenchmarkOptions, benchmark: Benchmark, model: Model): Settings {
  return {
    budget: frames ?? benchmark.budget,
    maxNewTokens: maxNewTokens ?? benchmark.maxNewTokens,
    template: template ?? model.info.template,
  }
}

function headerOf(options: RunBenchmarkOptions, { budget, maxNewTokens, template }: Settings, { info }: Model): Omit<ResultsHeader, 'data'> {
  const frames = budget.kind === 'fixed' ? `${budget.frames}` : `one a second, at most ${budget.maxFrames}`
  const model = { name: info.name, digest: info.digest }
  return { kind: 'evaluation', version: 1, benchmark: options.benchmark, model, frames, maxNewTokens, template }
}

function judgeAll(samples: readonly EvalSample[], answers: ReadonlyMap<string, string>): readonly Judged[] {
  return samples.flatMap((sample) => {
    const answer = answers.get(sample.id)
    return answer === undefined ? [] : [{ sample, answer, verdict: sample.judge(answer, guessFor(sample.id)) }]
  })
}

interface AskAllOptions {
  readonly skipMissing: boolean
  readonly onQuestion: RunBenchmarkOptions['onQuestion']
}

/** Asks what is not answered yet, one video after the other. */
class Questioning {
  readonly #results: ResultsFile
  readonly #samples: readonly EvalSample[]
  readonly #context: AskContext
  readonly #skipped: { id: string; error: StreamError }[] = []

  constructor(results: ResultsFile, samples: readonly EvalSample[], context: AskContext) {
    this.#results = results
    this.#samples = samples
    this.#context = context
  }

  async askAll({ skipMissing, onQuestion }: AskAllOptions): Promise<BenchmarkRun['skipped']> {
    const total = this.#samples.length
    const open = this.#samples.filter(({ id }) => !this.#results.answers.has(id))
    let done = total - open.length
    onQuestion?.({ done, total })
    for (const alike of groupBy(open, placeOf).values()) {
      throwIfAborted(this.#context.signal, 'The evaluation')
      await this.#ask(alike).catch((error: unknown) => this.#skip(alike, error, skipMissing))
      done += alike.length
      onQuestion?.({ done, total })
    }
    return this.#skipped
  }

  async #ask(samples: readonly EvalSample[]): Promise<void> {
    for (const sample of samples) {
      if (sample.media.kind === 'nothing') await this.#keep(sample, sample.media.answer(guessFor(sample.id)))
    }
    const shown = samples.filter(isShown)
    const results = await askMedia(shown, this.#context)
    for (const sample of shown) {
      const result = results.get(sample.id)
      if (result?.kind === 'answer') await this.#keep(sample, result.answer)
    }
    // What was answered is kept first; the others are asked again by the next run.
    for (const result of results.values()) if (result.kind === 'error') throw errorOf(result)
  }

  async #keep(sample: EvalSample, answer: string): Promise<void> {
    await this.#results.append({ id: sample.id, answer, ...sample.judge(answer, guessFor(sample.id)) })
  }

  async #skip(samples: readonly EvalSample[], error: unknown, skipMissing: boolean): Promise<void> {
    if (!skipMissing || !(error instanceof StreamError) || !/^(VIDEO|FRAME|EVAL_VIDEO)_/.test(error.code)) throw error
    const { code, message } = error
    for (const { id } of samples) {
      this.#skipped.push({ id, error })
      await this.#results.append({ id, skipped: { code, message } })
    }
  }
}

/** Questions about one file are asked together; of those that show nothing, each by itself. */
function placeOf({ id, media }: EvalSample): string {
  return media.kind === 'nothing' ? `nothing ${id}` : `${media.kind} ${media.path}`
}

function isShown(sample: EvalSample): sample is EvalSample & MediaQuestion {
  return sample.media.kind !== 'nothing'
}
