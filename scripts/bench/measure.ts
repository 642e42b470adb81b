import { Bench } from 'tinybench'

/** One row of the report: a figure beside what it is measured against, in the same run. */
export interface Row {
  readonly what: string
  readonly figure: string
  readonly against: string
  /** What the ratio means is in `what` and `against`. */
  readonly ratio: number
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

/** Prints the rows as a Markdown table. */
export function printRows(rows: readonly Row[]): void {
  process.stdout.write('| what | figure | against | ratio |\n| --- | --- | --- | --- |\n')
  for (const { what, figure, against, ratio } of rows) {
    process.stdout.write(`| ${what} | ${figure} | ${against} | ${ratio.toFixed(2)} |\n`)
  }
}
