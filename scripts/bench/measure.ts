import { Bench } from 'tinybench'

/** What a ratio should be. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** One row of the report: a figure beside what it is measured against, in the same run. */
export interface Row {
  readonly what: string
  readonly figure: string
  readonly against: string
  /** What the ratio means is in `what` and `against`. */
  readonly ratio: number
  /** The ratio is the least it can be: what it is measured against was stopped. @default false */
  readonly isLeast?: boolean
  /** @default none: the row is for information */
  readonly goal?: Goal | undefined
}

/**
 * Median time of a call.
 *
 * @param repeats Counted calls.
 * @param warmups Calls before them that don't count. @default 1
 * @returns Milliseconds.
 */
export async function medianMs(call: () => Promise<unknown>, repeats: number, warmups = 1): Promise<number> {
  const bench = new Bench({ iterations: repeats, time: 0, warmup: warmups > 0, warmupIterations: warmups, warmupTime: 0, throws: true })
  bench.add('call', async () => { await call() })
  const [task] = await bench.run()
  const result = task?.result
  if (result !== undefined && 'latency' in result) return result.latency.p50
  throw new Error('Nothing was measured.')
}

/**
 * Median times of several calls that are made in turn, round after round: a slow moment of the machine hits them
 * all, and their ratios hold up.
 *
 * @param rounds Counted rounds.
 * @param warmups Rounds before them that don't count. @default 1
 * @returns Milliseconds of each, by its name.
 */
export async function interleavedMs<Name extends string>(
  calls: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
  warmups = 1,
): Promise<Readonly<Record<Name, number>>> {
  const names = Object.keys(calls) as Name[]
  const times = new Map(names.map((name) => [name, [] as number[]]))
  for (let round = -warmups; round < rounds; round += 1) {
    for (const name of names) {
      const startedAt = performance.now()
      await calls[name]()
      if (round >= 0) times.get(name)?.push(performance.now() - startedAt)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<Name, number>
}

/** The middle value; of an even number of values the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return low === undefined || high === undefined ? NaN : (low + high) / 2
}

/** Prints the rows as a Markdown table. */
export function printRows(rows: readonly Row[]): void {
  process.stdout.write(formatRows(rows))
}

/** The rows as a Markdown table. */
export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map((row) => [row.what, row.figure, row.against, ratioText(row), verdict(row)])
  const table = [['what', 'figure', 'against', 'ratio', 'goal'], Array.from({ length: 5 }, () => '---'), ...lines]
  return table.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

const ratioText = ({ ratio }: Row): string => (Number.isNaN(ratio) ? '' : ratio.toFixed(2))

function verdict({ ratio, isLeast = false, goal }: Row): string {
  if (goal === undefined) return ''
  const isMet = 'atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost
  // More than the least meets any lower bound that the least meets, and misses any upper bound that it misses.
  const isOpen = Number.isNaN(ratio) || (isLeast && isMet !== ('atLeast' in goal))
  return `${'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`}, ${isOpen ? 'open' : isMet ? 'met' : 'missed'}`
}
