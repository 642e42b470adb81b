import { randomBundle } from './bundles.js'
import { type Outcome, runScript } from './child.js'
import type { Geometry } from './checkpoint/geometry.js'
import type { Row } from './measure.js'
import { lengthFlags } from './text-arguments.js'
import { type TextTimes, textTimesSchema } from './text-times.js'
import { takeTurns } from './turns.js'

/** How ours is compared with graphs as optimum exports them. */
export interface OptimumBench {
  /** Folder for checkpoints and bundles. */
  readonly cache: string
  readonly geometry: Geometry
  readonly threads: number
  readonly rounds: number
  readonly variants: readonly ('fp32' | 'int4')[]
  /** Tokens before the first generated one. */
  readonly contexts: readonly number[]
  /** Tokens that are generated. */
  readonly tokens: number
}

/**
 * Times decoding through our runtime against graphs as optimum exports them (attention of plain operators, the past
 * copied for each token), with the same weights and in the same precision. Both take turns, in processes of their own.
 */
export async function benchOptimumStyle({ cache, geometry, threads, rounds, variants, contexts, tokens }: OptimumBench): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const variant of variants) {
    const ours = await randomBundle(cache, geometry, variant)
    const theirs = await randomBundle(cache, geometry, `${variant}-primitive`)
    for (const prompt of contexts) {
      const flags = [...lengthFlags({ prompt, tokens }), '--repeats', '1', '--threads', String(threads)]
      const outcomes = await takeTurns({
        ours: () => runScript('text.ts', [ours, ...flags], { schema: textTimesSchema }),
        theirs: () => runScript('optimum-style.ts', [theirs, ...flags], { schema: textTimesSchema }),
      }, rounds)
      const perToken = (outcome: Outcome<TextTimes>): number => decodeMs(outcome) / (tokens - 1)
      rows.push(decodeRow(`${variant}, ${prompt} tokens of context`, perToken(outcomes.ours), perToken(outcomes.theirs)))
    }
  }
  return rows
}

function decodeMs(outcome: Outcome<TextTimes>): number {
  if (outcome.kind === 'done') return outcome.result.decode * 1000
  throw new Error('Nothing was decoded: see above.')
}

function decodeRow(what: string, ours: number, theirs: number): Row {
  return {
    what: `decoding, ${what}: times as fast as graphs as optimum exports them`,
    figure: `${ours.toFixed(1)} ms a token`,
    against: `${theirs.toFixed(1)} ms a token`,
    ratio: theirs / ours,
    goal: { atLeast: 1.5 },
  }
}
