import type { DeviceChoice } from '../model/device/device.js'
import type { ServeOptions } from '../service/http/http-settings.js'
import { start } from '../service/start.js'
import type { Run } from '../service/start.js'
import { onInterrupt } from './interrupt.js'
import { loadPipeline } from './load-pipeline.js'
import type { Reporter } from './reporter.js'
import { serveOptions, serveRun } from './run-http.js'
import type { HttpFlags } from './run-http.js'
import { openRunLog } from './run-log.js'
import type { LogFlags } from './run-log.js'

/** What can be said beside the pipeline. */
export interface RunFlags extends HttpFlags, LogFlags {
  readonly device?: DeviceChoice
  /** Seconds. */
  readonly drainTimeout?: number
}

/** What is to be run. */
export interface Running {
  readonly path: string
  /** Handed to the pipeline's file. */
  readonly handed: readonly string[]
  readonly flags: RunFlags
}

/** Runs the pipeline of a file until it ends, or until Ctrl-C or SIGTERM asks it to finish. */
export async function run({ path, handed, flags }: Running, reporter: Reporter): Promise<void> {
  const log = openRunLog(flags, reporter)
  const serving = serveOptions(flags, reporter)
  const pipeline = await loadPipeline(path, handed)
  const run = start(flags.device === undefined ? pipeline : { ...pipeline, device: flags.device })
  // Told by `done` below, also where it comes before it is waited for.
  run.done.catch(() => undefined)
  log(run)
  const stop = (): void => {
    run.stop(stopOptions(flags)).catch(() => undefined)
  }
  const forget = onInterrupt(reporter, 'stopping: finishing what is under way', stop)
  try {
    await (serving === undefined ? run.done : whileServed(run, serving, { reporter, stop }))
  } finally {
    forget()
  }
}

async function whileServed(
  run: Run,
  options: ServeOptions,
  { reporter, stop }: { reporter: Reporter; stop: () => void },
): Promise<void> {
  const { close } = await serveRun(run, options, reporter).catch(async (error: unknown) => {
    // A service that nobody can ask is not what was wanted.
    stop()
    await run.done.catch(() => undefined)
    throw error
  })
  try {
    await run.done
  } finally {
    await close()
  }
}

function stopOptions({ drainTimeout }: RunFlags): { drainTimeoutMs?: number } {
  return drainTimeout === undefined ? {} : { drainTimeoutMs: drainTimeout * 1000 }
}
