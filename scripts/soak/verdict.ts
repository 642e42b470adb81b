import type { LedgerCounts } from 'tinyllava-stream'

/** Megabytes a minute. */
const MOST_GROWTH = 1

/** Resident memory at one moment. */
export interface MemorySample {
  readonly minute: number
  readonly megabytes: number
}

/** What a soak has come to. */
export interface Outcome {
  readonly totals: LedgerCounts
  readonly sources: readonly { readonly id: string; readonly totals: Pick<LedgerCounts, 'answered'> }[]
  /** Messages with a picture that were sent, and those of them that were read, each once. */
  readonly kafka: { readonly usable: number; readonly read: number }
  /** Growth of the resident memory in megabytes a minute. */
  readonly slope: number
  /** What the run failed with. */
  readonly failure?: unknown
}

/** Everything that isn't as it should be, in words. */
export function problemsOf({ totals, sources, kafka, slope, failure }: Outcome): readonly string[] {
  const idle = sources.filter((source) => source.totals.answered === 0)
  return [
    ...unbalanced(totals),
    ...(sources.length > 0 ? [] : ['there are no sources']),
    ...idle.map(({ id }) => `nothing was answered about ${id}`),
    ...(kafka.usable > 0 ? [] : ['nothing was sent to Kafka']),
    ...(kafka.read === kafka.usable ? [] : [`${kafka.read} of ${kafka.usable} frames were read from Kafka`]),
    ...(Number.isNaN(slope) ? ['memory was not measured'] : []),
    ...(slope >= MOST_GROWTH ? [`memory grows by ${slope.toFixed(2)} MB a minute`] : []),
    ...(failure === undefined ? [] : [`the run failed: ${failure instanceof Error ? failure.message : 'unknown'}`]),
  ]
}

/** Growth in megabytes a minute, by least squares; NaN where there are fewer than two samples. */
export function slopeOf(samples: readonly MemorySample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [minute, megabytes] = [mean(samples.map((each) => each.minute)), mean(samples.map((each) => each.megabytes))]
  const spread = samples.reduce((sum, each) => sum + (each.minute - minute) ** 2, 0)
  return samples.reduce((sum, each) => sum + (each.minute - minute) * (each.megabytes - megabytes), 0) / spread
}

function unbalanced(counts: LedgerCounts): readonly string[] {
  const dropped = Object.values(counts.dropped).reduce((sum, count) => sum + count, 0)
  const { handedOut, encoded, static: repeated, forwarded, skipped, failed, framesInFlight } = counts
  const { asked, answered, questionsFailed, questionsInFlight, results, delivered, deliveriesFailed, deliveriesInFlight } = counts
  return [
    ...(handedOut === encoded + repeated + forwarded + skipped + dropped + failed + framesInFlight ? [] : ['frames do not add up']),
    ...(asked === answered + questionsFailed + questionsInFlight ? [] : ['questions do not add up']),
    ...(results === delivered + deliveriesFailed + deliveriesInFlight ? [] : ['deliveries do not add up']),
    ...(framesInFlight + questionsInFlight + deliveriesInFlight === 0 ? [] : ['something is left in flight']),
  ]
}
