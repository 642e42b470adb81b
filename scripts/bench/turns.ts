import type { Outcome } from './child.js'
import { median } from './measure.js'

/** Something that is measured beside others: gives its figures, by name. */
export type Side<Figures> = () => Promise<Outcome<Figures>>

/**
 * Runs all sides in turn, one at a time, round after round: a slow moment of the machine hits them all, and two big
 * models needn't fit into memory. One that fails isn't tried again.
 *
 * @returns The median of each figure of each side.
 */
export async function takeTurns<Name extends string, Figures extends Readonly<Record<string, number>>>(
  sides: Readonly<Record<Name, Side<Figures>>>,
  rounds: number,
): Promise<Readonly<Record<Name, Outcome<Figures>>>> {
  const names = Object.keys(sides) as Name[]
  const outcomes = new Map(names.map((name) => [name, [] as Outcome<Figures>[]]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, known] of outcomes) {
      if (known.some(({ kind }) => kind !== 'done')) continue
      process.stderr.write(`bench: ${name}, round ${round} of ${rounds}\n`)
      known.push(await sides[name]())
    }
  }
  return Object.fromEntries([...outcomes].map(([name, known]) => [name, medianOutcome(known)])) as Record<Name, Outcome<Figures>>
}

/** The median of each figure; the failure where one failed. */
export function medianOutcome<Figures extends Readonly<Record<string, number>>>(outcomes: readonly Outcome<Figures>[]): Outcome<Figures> {
  const failure = outcomes.find(({ kind }) => kind !== 'done')
  if (failure !== undefined) return failure
  const results = outcomes.flatMap((outcome) => (outcome.kind === 'done' ? [outcome.result] : []))
  const [first] = results
  if (first === undefined) return { kind: 'failed', why: 'not run' }
  const medians = Object.keys(first).map((name) => [name, median(results.map((result) => result[name] ?? NaN))] as const)
  return { kind: 'done', result: Object.fromEntries(medians) as unknown as Figures }
}
