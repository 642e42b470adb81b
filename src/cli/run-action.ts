import { start } from '../service/start.js'
import { onInterrupt } from './interrupt.js'
import { loadPipeline } from './load-pipeline.js'
import { reportEvents } from './report-events.js'
import type { Reporter } from './reporter.js'

/** Runs the pipeline of a file until it ends, or until Ctrl-C asks it to finish. */
export async function run(path: string, handed: readonly string[], reporter: Reporter): Promise<void> {
  const run = start(await loadPipeline(path, handed))
  reportEvents(run.events$, reporter)
  const forget = onInterrupt(reporter, 'stopping: finishing what is under way', () => {
    // How it ends is told by `done`, below.
    run.stop().catch(() => undefined)
  })
  try {
    await run.done
  } finally {
    forget()
  }
}
