import type { Outcome } from './child.js'
import type { Goal, Row } from './measure.js'
import { type TextLength, type TextTimes, tokenRates } from './text-times.js'

/** What one side took, by its name in the table. */
export interface TextSide {
  readonly name: string
  readonly outcome: Outcome<TextTimes>
}

/** Compares tokens a second, before the first generated one and after it, and memory. */
export function textRows(ours: TextSide, theirs: TextSide, length: TextLength, goal?: Goal): readonly Row[] {
  for (const { name, outcome } of [ours, theirs]) if (outcome.kind !== 'done') return [missingRow(name, outcome)]
  if (ours.outcome.kind !== 'done' || theirs.outcome.kind !== 'done') return []
  const [mine, other] = [ours.outcome.result, theirs.outcome.result]
  const [myRates, otherRates] = [tokenRates(mine, length), tokenRates(other, length)]
  const names = `${ours.name} against ${theirs.name}`
  const rateRow = (part: keyof typeof myRates, what: string): Row => ({
    what: `${what}, ${names}: times as fast`,
    figure: `${myRates[part].toFixed(1)} tokens/s`, against: `${otherRates[part].toFixed(1)} tokens/s`,
    ratio: myRates[part] / otherRates[part], goal,
  })
  return [
    rateRow('prefill', `prefill of ${length.prompt}`),
    rateRow('decode', `decoding after ${length.prompt}`),
    {
      what: `peak memory, ${names}: share`,
      figure: gigabytes(mine.peakBytes), against: gigabytes(other.peakBytes), ratio: mine.peakBytes / other.peakBytes,
    },
  ]
}

function missingRow(name: string, outcome: Exclude<Outcome<TextTimes>, { kind: 'done' }>): Row {
  const why = outcome.kind === 'late' ? `not done after ${outcome.seconds.toFixed(0)} s` : outcome.why
  return { what: `text, ${name}`, figure: 'not measured', against: why, ratio: NaN }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
