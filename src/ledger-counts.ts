/**
 * A snapshot of a ledger. Always true:
 * `handedOut = encoded + static + forwarded + skipped + Σ dropped + failed + framesInFlight`,
 * `asked = answered + questionsFailed + questionsInFlight` and
 * `results = delivered + deliveriesFailed + deliveriesInFlight`.
 */
export interface LedgerCounts {
  readonly handedOut: number
  readonly encoded: number
  /** Frames that show what one before them showed, and have its features: not encoded again (`skipStatic`). */
  readonly static: number
  readonly forwarded: number
  readonly skipped: number
  /** Frames dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: number
  readonly framesInFlight: number
  readonly asked: number
  readonly answered: number
  readonly questionsFailed: number
  readonly questionsInFlight: number
  /** Results handed to the sinks. */
  readonly results: number
  readonly delivered: number
  readonly deliveriesFailed: number
  readonly deliveriesInFlight: number
}

/** Counts of nothing. */
export function noCounts(): LedgerCounts {
  return {
    ...{ handedOut: 0, encoded: 0, static: 0, forwarded: 0, skipped: 0, dropped: {}, failed: 0, framesInFlight: 0 },
    ...{ asked: 0, answered: 0, questionsFailed: 0, questionsInFlight: 0 },
    ...{ results: 0, delivered: 0, deliveriesFailed: 0, deliveriesInFlight: 0 },
  }
}

/** The sum of two ledgers' counts. */
export function addCounts(one: LedgerCounts, other: LedgerCounts): LedgerCounts {
  const { dropped, ...numbers } = one
  const sums = Object.entries(numbers).map(([name, count]) => [name, count + other[name as keyof typeof numbers]])
  const reasons = new Set([...Object.keys(dropped), ...Object.keys(other.dropped)])
  return {
    ...(Object.fromEntries(sums) as Omit<LedgerCounts, 'dropped'>),
    dropped: Object.fromEntries(
      [...reasons].map((reason) => [reason, (dropped[reason] ?? 0) + (other.dropped[reason] ?? 0)]),
    ),
  }
}
