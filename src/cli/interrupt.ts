import { constants } from 'node:os'
import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'

import type { Reporter } from './reporter.js'

/**
 * The same signal twice within this time is one key press: the terminal sends it to the whole process
 * group, and under `npm start` npm passes its own on.
 */
const SAME_PRESS_MS = 300

/** A timer that never fires: the longest that Node can wait. */
const FOR_EVER_MS = 2 ** 31 - 1

/**
 * Calls `stop` at the first Ctrl-C, SIGTERM or SIGHUP (the terminal is closed; passed over under `nohup`); the
 * second one ends the process at once. Keeps the process alive until then: a run that waits for something outside of
 * Node is not over.
 *
 * @param what What the first one does, for the user.
 * @returns how to stop listening.
 */
export function onInterrupt(reporter: Pick<Reporter, 'warning'>, what: string, stop: () => void): () => void {
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined
  const handle = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && isUnderNohup(process.env)) return
    if (first === undefined) {
      first = { signal, atMs: performance.now() }
      reporter.warning(`${what} (Ctrl-C again ends at once)`)
      stop()
      return
    }
    const isSamePress = signal === first.signal && performance.now() - first.atMs < SAME_PRESS_MS
    if (!isSamePress) process.exit(128 + constants.signals[signal])
  }
  const alive = setInterval(() => undefined, FOR_EVER_MS)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, handle)
  return () => {
    clearInterval(alive)
    for (const signal of signals) process.off(signal, handle)
  }
}

/**
 * Whether `nohup` has started this process: it is to outlive its terminal.
 *
 * `nohup` has SIGHUP ignored, but Node sets every signal back when it starts, so that neither is it ignored any more nor
 * can be seen that it was. What is left is the variable in which bash, zsh and ksh name the program that they start.
 */
export function isUnderNohup({ _: program = '' }: Readonly<Record<string, string | undefined>>): boolean {
  return basename(program) === 'nohup'
}
