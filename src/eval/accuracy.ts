import type { Judged, Score } from './benchmark.js'
import { percentText } from './fixed.js'

/** How many questions of a group were answered rightly. */
export interface GroupAccuracy {
  readonly group: string
  readonly correct: number
  readonly total: number
  readonly percent: number
}

/** Share of right answers of each group, in the order in which groups come up. */
export function accuracyByGroup(judged: readonly Judged[]): readonly GroupAccuracy[] {
  const counts = new Map<string, { correct: number; total: number }>()
  for (const { sample, verdict } of judged) {
    const count = counts.get(sample.group) ?? { correct: 0, total: 0 }
    count.total += 1
    count.correct += verdict.points ?? 0
    counts.set(sample.group, count)
  }
  return [...counts].map(([group, { correct, total }]) => ({ group, correct, total, percent: percentOf(correct, total) }))
}

/** In this order, as float64: the reference's last bits. */
export function percentOf(correct: number, total: number): number {
  return (correct / total) * 100
}

/** How the groups' shares become one: of all questions alike, of all groups alike, or not at all. */
export type Average = 'questions' | 'groups' | 'none'

/** A score of shares of right answers: a row a group, and their average as the reference takes it. */
export function accuracyScore(judged: readonly Judged[], groupTitle: string, average: Average): Score {
  const groups = accuracyByGroup(judged)
  const averages = groups.length === 0 ? [] : averageRow(groups, average)
  const rows = [...groups, ...averages]
  return {
    table: [
      [groupTitle, 'correct', 'questions', 'accuracy'],
      ...rows.map(({ group, correct, total, percent }) => [group, `${correct}`, `${total}`, percentText(percent)]),
    ],
    final: Object.fromEntries(rows.map(({ group, percent }) => [group, percent])),
  }
}

function averageRow(groups: readonly GroupAccuracy[], average: Average): readonly GroupAccuracy[] {
  if (average === 'none') return []
  const sum = (of: (group: GroupAccuracy) => number): number => groups.reduce((total, group) => total + of(group), 0)
  const [correct, total] = [sum((group) => group.correct), sum((group) => group.total)]
  const percent = average === 'questions' ? percentOf(correct, total) : sum((group) => group.percent) / groups.length
  return [{ group: 'Avg', correct, total, percent }]
}
