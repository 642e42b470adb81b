import { expectInteger } from '../checks.js'
import { StreamError } from '../errors.js'
import type { Benchmark } from './benchmark.js'
import { type FrameBudget, expectBudget } from './frames/frame-budget.js'

/** What can be set of how a benchmark is asked. */
export interface AskSettings {
  /** Asks only the first so many questions; at least 1. @default all */
  readonly limit?: number
  /** How many frames of a video are looked at, 1 to 512. @default as the reference's script for the benchmark sets it */
  readonly frames?: FrameBudget
  /** Most tokens of an answer. @default as the reference's script sets it: 1024, or 128 where answers are short */
  readonly maxNewTokens?: number
}

/** The same, with the benchmark's own values where nothing was set. */
export interface RunSettings {
  /** @default all questions */
  readonly limit: number | undefined
  readonly budget: FrameBudget
  readonly maxNewTokens: number
}

/** What a benchmark about pictures looks at. */
const ONE_PICTURE: FrameBudget = { kind: 'fixed', frames: 1 }

/**
 * Checks what was set, and fills in the rest.
 *
 * @throws {StreamError} `SETTING_INVALID`, also for frames of a benchmark that asks about pictures.
 */
export function checkRunSettings({ limit, frames, maxNewTokens }: AskSettings, benchmark: Benchmark): RunSettings {
  if (frames !== undefined && benchmark.budget === undefined) {
    throw new StreamError('SETTING_INVALID', `${benchmark.title} asks about pictures, which have no \`frames\`. Leave the setting out.`)
  }
  return {
    limit: limit === undefined ? undefined : expectInteger('limit', limit, 1),
    budget: frames === undefined ? (benchmark.budget ?? ONE_PICTURE) : expectBudget(frames),
    maxNewTokens: expectInteger('maxNewTokens', maxNewTokens ?? benchmark.maxNewTokens, 1),
  }
}
