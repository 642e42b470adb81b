import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { DeviceKind } from './device.js'
import type { ProbeReport } from './probe-child.js'

/** How the child is started; each part can be replaced in tests. */
export interface RunProbeOptions {
  /** Variables beside the process's own. */
  readonly environment?: Readonly<Record<string, string>>
  /** The program that probes. @default the built `probe-child.js` */
  readonly program?: URL
  /** After so many milliseconds a child that has not ended is killed. @default 60000 */
  readonly timeoutMs?: number
}

/** What came of a probe. */
export interface ProbeOutcome {
  readonly report: ProbeReport
  /** The last of what libraries and drivers wrote to stderr. */
  readonly output: string
}

/** A GPU's first shader may take seconds to compile; what takes longer than this hangs. */
const TIMEOUT_MS = 60_000

const KEPT_OUTPUT = 16_384

/** Runs the probe of a provider in a process of its own. Never rejects: what goes wrong is the report. */
export async function runProbe(kind: DeviceKind, options: RunProbeOptions = {}): Promise<ProbeOutcome> {
  const { environment = {}, program = probeProgram(import.meta.url), timeoutMs = TIMEOUT_MS } = options
  let output = ''
  let report: ProbeReport | undefined
  const child = fork(fileURLToPath(program), [kind], {
    // The process's own flags (a TypeScript loader, `--input-type`) are not for a built file, and can break it.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  child.stderr?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-KEPT_OUTPUT)))
  child.on('message', (message) => (report = message as ProbeReport))
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    // A report alone is not enough: what crashes at its end would take a service with it.
    return { report: code === 0 && report !== undefined ? report : crashReport({ code, signal, timeoutMs }), output }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { report: { isRight: false, message: `The probe can't be started: ${message}.` }, output }
  }
}

interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly timeoutMs: number
}

function crashReport({ code, signal, timeoutMs }: ChildEnd): ProbeReport {
  if (signal === 'SIGKILL') return { isRight: false, message: `A probe did not end within ${timeoutMs / 1000} s.` }
  return { isRight: false, message: `A probe ended with ${signal ?? `exit code ${code ?? 'none'}`}: a library or driver crashed.` }
}

/** Where the built program lies: beside the built caller, or in `dist/` where the caller runs from source. */
export function probeProgram(callerUrl: string): URL {
  const built = callerUrl.endsWith('.ts') ? callerUrl.replace(/\/src\/(?=model\/device\/)/, '/dist/') : callerUrl
  return new URL('probe-child.js', built)
}
