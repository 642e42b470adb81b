import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How the command line ended. */
export interface CliEnd {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command line at work. */
export interface RunningCli {
  readonly child: ChildProcess
  readonly end: Promise<CliEnd>
  /** What it has said on stderr so far. */
  readonly stderr: () => string
  /** Resolves once stderr holds this text; rejects where it ends without. */
  whenSaid(text: string): Promise<void>
}

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface SpawnOptions {
  readonly cwd?: string
  /** What is typed, or comes through a pipe. @default nothing at all */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the built command line to its end. */
export function runCli(args: readonly string[], options: SpawnOptions = {}): Promise<CliEnd> {
  return startCli(args, options).end
}

/** Starts the built command line. */
export function startCli(args: readonly string[], { cwd, env, input = '' }: SpawnOptions = {}): RunningCli {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'pipe',
  })
  // A command that reads no input may have ended already.
  child.stdin.on('error', () => undefined).end(input)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const end = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }))
  const whenSaid = async (text: string): Promise<void> => {
    while (!stderr.includes(text)) {
      await Promise.race([once(child.stderr, 'data'), end.then(() => Promise.reject(new Error(`It ended: ${stderr}`)))])
    }
  }
  return { child, end, stderr: () => stderr, whenSaid }
}

/** The lines of a text, without an empty last one. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').slice(0, -1)
}
