import type { Outcome } from './child.js'
import type { ClipTimes } from './clip-times.js'
import type { Goal, Row } from './measure.js'

/** What one side took, by its name in the table. */
export interface ClipSide {
  readonly name: string
  readonly outcome: Outcome<ClipTimes>
}

const PARTS = ['tower', 'connector', 'prefill', 'decode'] as const

/**
 * Compares our times of a clip with another's: as a whole, by parts, and in memory.
 *
 * One that was stopped at its time limit is compared by the time it had had: the ratio is the least it can be.
 *
 * @param goals Of the whole and of memory; parts have none.
 */
export function clipRows(ours: ClipSide, theirs: ClipSide, goals: { whole?: Goal; memory?: Goal } = {}): readonly Row[] {
  if (ours.outcome.kind !== 'done') return [missingRow(ours)]
  const mine = ours.outcome.result
  const names = `${ours.name} against ${theirs.name}`
  if (theirs.outcome.kind !== 'done') {
    const least = theirs.outcome.kind === 'late' ? theirs.outcome.runSeconds : undefined
    if (least === undefined) return [missingRow(theirs)]
    return [{
      what: `clip, ${names}: at least so many times as fast`,
      figure: seconds(mine.whole), against: `stopped after ${seconds(least)}`,
      ratio: least / mine.whole, isLeast: true, goal: goals.whole,
    }]
  }
  const other = theirs.outcome.result
  const partRow = (part: 'whole' | (typeof PARTS)[number], goal?: Goal): Row => ({
    what: `${part === 'whole' ? 'clip' : part}, ${names}: times as fast`,
    figure: seconds(mine[part]), against: seconds(other[part]), ratio: other[part] / mine[part], goal,
  })
  return [
    partRow('whole', goals.whole),
    ...PARTS.map((part) => partRow(part)),
    {
      what: `peak memory, ${names}: share`,
      figure: gigabytes(mine.peakBytes), against: gigabytes(other.peakBytes), ratio: mine.peakBytes / other.peakBytes, goal: goals.memory,
    },
  ]
}

function missingRow({ name, outcome }: ClipSide): Row {
  const why = outcome.kind === 'late' ? `not ready after ${seconds(outcome.seconds)}` : outcome.kind === 'failed' ? outcome.why : ''
  return { what: `clip, ${name}`, figure: 'not measured', against: why, ratio: NaN }
}

const seconds = (value: number): string => `${value.toFixed(1)} s`
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
