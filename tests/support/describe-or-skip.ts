import { describe } from 'vitest'

/**
 * Like `describe`, for tests that need something which may be missing: then they are skipped, with the reason in the name;
 * with CI_NO_SKIP=1 it throws instead.
 *
 * @param reason Why they can't run; undefined: they can.
 */
export function describeOrSkip(name: string, reason: string | undefined, body: () => void): void {
  if (reason === undefined) {
    describe(name, body)
    return
  }
  if (process.env.CI_NO_SKIP === '1') throw new Error(`${name} would be skipped, and CI_NO_SKIP=1 forbids that: ${reason}`)
  describe.skip(`${name} [skipped: ${reason}]`, body)
}
