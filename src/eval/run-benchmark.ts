import { throwIfAborted } from '../errors.js'
import type { Model } from '../model/model.js'
import type { OpenModelOptions } from '../service/open-model.js'
import { openModel } from '../service/open-model.js'
import type { EvalFile, EvalSample, Judged, Score } from './benchmark.js'
import { findBenchmark } from './benchmarks.js'
import { DataFolder } from './data-folder.js'
import { guessFor } from './guess.js'
import { expectMedia } from './missing-media.js'
import { type EvalProgress, Questioning, type SkippedQuestion } from './questioning.js'
import { type KeptAnswer, type ResultsHeader, ResultsFile, expectNoResults } from './results-file.js'
import { type AskSettings, type RunSettings, checkRunSettings } from './run-settings.js'

export type { EvalProgress } from './questioning.js'

/** How a benchmark is run. */
export interface RunBenchmarkOptions extends OpenModelOptions, AskSettings {
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
  /** Chat template by its registered name. @default the bundle's */
  readonly template?: string
  /**
   * Passes over questions whose video is missing or broken, and single ones that the model can't be asked, instead of
   * ending. @default false
   */
  readonly skipMissing?: boolean
  /** Told at the beginning, and after the questions about each video, how far it is. */
  readonly onQuestion?: (progress: EvalProgress) => void
}

/** What came out. */
export interface BenchmarkRun {
  /** The benchmark's own name. */
  readonly title: string
  readonly score: Score
  /** Questions that were answered, those of earlier runs included. */
  readonly answered: number
  /** Questions that were passed over, with the reason. */
  readonly skipped: readonly SkippedQuestion[]
  /** Answers in the score to a video or a prompt that was not whole, with what was wrong; those of earlier runs included. */
  readonly degraded: readonly DegradedAnswer[]
  /** Files in the form in which the reference writes them, for tools that score elsewhere. */
  readonly files: readonly EvalFile[]
}

/** An answer to less than was to be asked about. */
export interface DegradedAnswer {
  readonly id: string
  /** Plain sentences: what was missing or repaired. */
  readonly notes: readonly string[]
}

/**
 * Asks a model the questions of a benchmark, as TinyLLaVA-Video and TinyLLaVA_Factory ask them, and scores the answers
 * as they do. See `docs/EVALUATION.md`.
 *
 * Answers about one video are in the results file before the next is opened, so a run that was ended, even killed, goes
 * on with `resume`. Answers are greedy. Where an answer names no choice the reference draws lots; here the question's id
 * decides, so that one file of answers has one score.
 *
 * @throws {StreamError} `SETTING_INVALID` (also: no such benchmark), `EVAL_DATA_NOT_FOUND`, `EVAL_DATA_INVALID`,
 *   `EVAL_VIDEO_DIFFERS`, `EVAL_RESULTS_EXIST`, `EVAL_RESULTS_DIFFER`, `SINK_FAILED`, `ABORTED`; whatever loading the model, reading videos and
 *   answering throw.
 *
 * @example
 * ```ts
 * const { score } = await runBenchmark({ benchmark: 'mvbench', data: './MVBench', model: './bundle', results: 'mvbench.jsonl' })
 * console.table(score.final)
 * ```
 */
export async function runBenchmark(options: RunBenchmarkOptions): Promise<BenchmarkRun> {
  const { resume = false, skipMissing = false, signal = new AbortController().signal } = options
  const benchmark = findBenchmark(options.benchmark)
  const settings = checkRunSettings(options, benchmark)
  if (!resume) expectNoResults(options.results)
  const folder = new DataFolder(options.data)
  const data = await benchmark.read(folder)
  const samples = data.samples.slice(0, settings.limit)
  if (!skipMissing) await expectMedia(samples)
  throwIfAborted(signal, 'The evaluation')

  const { model, close } = await openModel(options.model, options)
  try {
    const template = options.template ?? model.info.template
    const header = { ...headerOf(options.benchmark, settings, model), template, data: folder.digest() }
    const results = await ResultsFile.open(options.results, { header, resume })
    try {
      const { budget, maxNewTokens } = settings
      const run = new Questioning(results, samples, { model, budget, generation: { maxNewTokens, template }, signal })
      const skipped = await run.askAll({ skipMissing, onQuestion: options.onQuestion })
      const judged = judgeAll(samples, results.answers)
      return {
        title: benchmark.title,
        score: benchmark.score(judged),
        answered: judged.length,
        skipped,
        degraded: degradedOf(samples, results.answers),
        files: data.files?.(judged, { model: model.info.name, template }) ?? [],
      }
    } finally {
      await results.close()
    }
  } finally {
    await close()
  }
}

function headerOf(benchmark: string, { budget, maxNewTokens }: RunSettings, { info }: Model): Omit<ResultsHeader, 'data' | 'template'> {
  const frames = budget.kind === 'fixed' ? `${budget.frames}` : `one a second, at most ${budget.maxFrames}`
  return { kind: 'evaluation', version: 1, benchmark, model: { name: info.name, digest: info.digest }, frames, maxNewTokens }
}

function judgeAll(samples: readonly EvalSample[], answers: ReadonlyMap<string, KeptAnswer>): readonly Judged[] {
  return samples.flatMap((sample) => {
    const kept = answers.get(sample.id)
    return kept === undefined ? [] : [{ sample, answer: kept.answer, verdict: sample.judge(kept.answer, guessFor(sample.id)) }]
  })
}

function degradedOf(samples: readonly EvalSample[], answers: ReadonlyMap<string, KeptAnswer>): readonly DegradedAnswer[] {
  return samples.flatMap(({ id }) => {
    const notes = answers.get(id)?.degraded ?? []
    return notes.length === 0 ? [] : [{ id, notes }]
  })
}
