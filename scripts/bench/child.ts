import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import type { z } from 'zod'

/** How a child process went: what it printed, or why there is nothing. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  /** Stopped at its limit, so long after its start; and after it had said that what is timed begins, if it had. */
  | { readonly kind: 'late'; readonly seconds: number; readonly runSeconds?: number }
  | { readonly kind: 'failed'; readonly why: string }

/** How a child process is run. */
export interface ChildOptions<Result> {
  /** What its last line on stdout is, as JSON. */
  readonly schema: z.ZodType<Result>
  /** It is killed then. @default in an hour */
  readonly limit?: AbortSignal
  readonly environment?: Readonly<Record<string, string>>
}

const LIMIT_MS = 3_600_000

// What a failed process said last: enough for the cause, short enough for a table.
const LAST_WORDS = 300

/** A line on stdout by which a child says that what is timed begins, or begins again. */
const BEGIN = 'begin'

/** Runs a script of this folder in a process of its own, whose memory is its own, too. */
export function runScript<Result>(name: string, args: readonly string[], options: ChildOptions<Result>): Promise<Outcome<Result>> {
  const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))
  const script = fileURLToPath(new URL(name, import.meta.url))
  return runChild(process.execPath, [jiti, script, ...args], options)
}

/** Runs a program to its end and reads the JSON it prints last. What it says on stderr passes through. */
export async function runChild<Result>(
  program: string,
  args: readonly string[],
  { schema, limit = AbortSignal.timeout(LIMIT_MS), environment = {} }: ChildOptions<Result>,
): Promise<Outcome<Result>> {
  const startedAt = performance.now()
  const child = spawn(program, args, {
    ...{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } },
    ...{ signal: limit, killSignal: 'SIGKILL' },
  })
  let [stdout, stderr] = ['', '']
  let begunAt: number | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    if (lastLine(stdout) === BEGIN) begunAt = performance.now()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-LAST_WORDS)
    process.stderr.write(chunk)
  })
  // One that can't be started closes, too.
  child.once('error', ({ message }) => { stderr += `\n${message}` })
  const end = await new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => { resolve(code ?? signal) })
  })
  if (limit.aborted) return { kind: 'late', seconds: secondsSince(startedAt), ...(begunAt !== undefined && { runSeconds: secondsSince(begunAt) }) }
  if (end !== 0) return { kind: 'failed', why: `ended with ${String(end)}: ${lastLine(stderr)}` }
  const parsed = schema.safeParse(parseJson(lastLine(stdout)))
  return parsed.success ? { kind: 'done', result: parsed.data } : { kind: 'failed', why: `printed no result: ${lastLine(stdout)}` }
}

const secondsSince = (earlier: number): number => (performance.now() - earlier) / 1000
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
