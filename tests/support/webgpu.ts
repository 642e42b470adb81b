import { spawnSync } from 'node:child_process'

import { describeOrSkip } from './describe-or-skip.js'

const script = 'scripts/setup-webgpu.sh'

/**
 * Like `describe`, for tests that need WebGPU on software Vulkan; the body is handed what must be in the environment of
 * the process that uses it. Where there is none it skips them, with the reason in the name; with CI_NO_SKIP=1 it throws
 * instead.
 */
export function describeWithWebGpu(name: string, body: (environment: Readonly<Record<string, string>>) => void): void {
  const { status, stdout, stderr, error } = spawnSync(script, ['env'], { encoding: 'utf8' })
  const environment = status === 0 ? stdout.trim().split('\n').map((line) => line.split('=') as [string, string]) : []
  const why = (): string => error?.message ?? stderr.trim().replace(/^setup-webgpu: /, '')
  describeOrSkip(name, status === 0 ? undefined : why(), () => { body(Object.fromEntries(environment)) })
}
