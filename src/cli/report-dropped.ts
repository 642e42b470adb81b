import { endWith, ignoreElements, interval, takeUntil } from 'rxjs'

import { newlyDropped } from '../service/newly-dropped.js'
import type { ObservedRun } from '../service/observed-run.js'
import type { Reporter } from './reporter.js'

const SUMMARY_MS = 10_000

/** Tells every ten seconds which frames of a run were dropped since, until it is over: not a line a frame. */
export function reportDropped(
  { events$, sources }: Pick<ObservedRun, 'events$' | 'sources'>,
  reporter: Pick<Reporter, 'warning'>,
): void {
  const dropped = newlyDropped(sources)
  const over = events$.pipe(ignoreElements(), endWith('over'))
  interval(SUMMARY_MS)
    .pipe(takeUntil(over))
    .subscribe(() => {
      for (const { streamId, reasons } of dropped()) {
        const counts = Object.entries(reasons).map(([reason, count]) => `${count} (${reason})`)
        reporter.warning(`${streamId}: frames were dropped: ${counts.join(', ')}`)
      }
    })
}
