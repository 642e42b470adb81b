import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A tool that takes longer hangs, e.g. on a driver. */
const TIMEOUT_MS = 20_000

/** What a program prints on stdout; undefined where it isn't there, fails or hangs. */
export async function outputOf(program: string, words: readonly string[]): Promise<string | undefined> {
  const limits = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 ** 2 } as const
  return promisify(execFile)(program, [...words], limits).then(
    ({ stdout }) => stdout,
    () => undefined,
  )
}
