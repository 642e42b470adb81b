import { writeFile } from 'node:fs/promises'

import { defined } from '../defined.js'
import type { EvalFile } from '../eval/benchmark.js'
import type { FrameBudget } from '../eval/frames/frame-budget.js'
import { type BenchmarkRun, runBenchmark } from '../eval/run-benchmark.js'
import type { DeviceChoice } from '../model/device/device.js'
import { sinkFailed } from '../sinks/sink-failed.js'
import { createEvalProgress } from './eval-progress.js'
import { onInterrupt } from './interrupt.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'
import { textTable } from './text-table.js'

/** What can be said of an evaluation. */
export interface EvalFlags {
  readonly benchmark: string
  readonly data: string
  readonly model?: string
  readonly device?: DeviceChoice
  readonly results?: string
  readonly resume?: true
  readonly limit?: number
  readonly skipMissing?: true
  readonly frames?: number
  readonly framesPerSecond?: true
  readonly maxFrames?: number
  readonly maxNewTokens?: number
  readonly template?: string
  readonly json?: true
}

/** Runs a benchmark, prints its score, and writes the reference's own files beside the answers. */
export async function evaluate(flags: EvalFlags, reporter: Reporter): Promise<void> {
  const { benchmark, data, results = `${benchmark}.jsonl`, model, device, limit, maxNewTokens, template, resume, skipMissing } = flags
  const abort = new AbortController()
  const forget = onInterrupt(reporter, `stopping; --resume goes on with ${results}`, () => {
    abort.abort()
  })
  const [building, progress] = [createProgress('building the demo model'), createEvalProgress()]
  try {
    const run = await runBenchmark({
      ...defined({ model, device, limit, maxNewTokens, template, resume, skipMissing }),
      ...framesOf(flags),
      ...{ benchmark, data, results, signal: abort.signal },
      onProgress: building.update,
      onQuestion: (question) => {
        building.end()
        progress.update(question)
      },
    })
    progress.end()
    reportSkipped(run, reporter)
    reportDegraded(run, reporter)
    // The score comes first: it is what the hours were for, and the files may not be writable.
    process.stdout.write(flags.json === true ? `${JSON.stringify(jsonOf(run), undefined, 2)}\n` : `${run.title}\n\n${textTable(run.score.table)}`)
    await writeFiles(run.files, results, reporter)
  } finally {
    building.end()
    progress.end()
    forget()
  }
}

function framesOf({ frames, framesPerSecond, maxFrames = 64 }: EvalFlags): { frames?: FrameBudget } {
  if (framesPerSecond === true) return { frames: { kind: 'per-second', maxFrames } }
  return frames === undefined ? {} : { frames: { kind: 'fixed', frames } }
}

function reportSkipped({ skipped }: BenchmarkRun, reporter: Reporter): void {
  const [first] = skipped
  if (first === undefined) return
  reporter.warning(`${skipped.length} questions were passed over and are not in the score; the first: ${first.error.message}`)
  for (const { id, error } of skipped) reporter.detail(`${id}: ${error.code}: ${error.message}`)
}

function reportDegraded({ degraded }: BenchmarkRun, reporter: Reporter): void {
  const [first] = degraded
  if (first === undefined) return
  reporter.warning(`${degraded.length} answers in the score are to less than was to be shown or asked; the first, ${first.id}: ${first.notes.join(' ')}`)
  for (const { id, notes } of degraded) reporter.detail(`${id}: ${notes.join(' ')}`)
}

/** `answers.jsonl` of the results `mme.jsonl` becomes `mme.answers.jsonl`. */
async function writeFiles(files: readonly EvalFile[], results: string, reporter: Reporter): Promise<void> {
  for (const { name, text } of files) {
    const path = `${results.replace(/\.jsonl$/, '')}.${name}`
    await writeFile(path, text).catch((error: unknown) => {
      throw sinkFailed(`Could not write ${path}`, error)
    })
    reporter.detail(`written: ${path}`)
  }
}

function jsonOf({ title, score, answered, skipped, degraded }: BenchmarkRun): unknown {
  return { benchmark: title, answered, skipped: skipped.length, degraded: degraded.length, final: score.final }
}
