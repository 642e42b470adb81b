import { spawnSync } from 'node:child_process'

import { describe } from 'vitest'

const script = 'scripts/setup-webgpu.sh'

/**
 * Like `describe`, for tests that need WebGPU on software Vulkan; the body is handed what must be in the environment of
 * the process that uses it. Where there is none it skips them, with the reason in the name; with CI_NO_SKIP=1 it throws
 * instead.
 */
export function describeWithWebGpu(name: string, body: (environment: Readonly<Record<string, string>>) => void): void {
  const { status, stdout, stderr, error } = spawnSync(script, ['env'], { encoding: 'utf8' })
  if (status === 0) {
    describe(name, () => {
      body(Object.fromEntries(stdout.trim().split('\n').map((line) => line.split('=') as [string, string])))
    })
    return
  }
  const reason = error?.message ?? stderr.trim().replace(/^setup-webgpu: /, '')
  if (process.env.CI_NO_SKIP === '1') throw new Error(`${name} would be skipped, and CI_NO_SKIP=1 forbids that: ${reason}`)
  describe.skip(`${name} [skipped: ${reason}]`, () => {
    body({})
  })
}
