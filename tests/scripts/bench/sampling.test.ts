import { execFileSync } from 'node:child_process'

import { expect, test, vi } from 'vitest'

import { childrenCpuMs } from '../../../scripts/bench/sampling.js'

test('the processor time of child processes grows with them, where the system tells it', () => {
  const before = childrenCpuMs()
  execFileSync(process.execPath, ['--eval', 'while (process.cpuUsage().user < 100_000);'])
  if (process.platform === 'linux') expect(childrenCpuMs() - before).toBeGreaterThan(0)
  else expect(before).toBeNaN()
})

test('it is not known elsewhere', () => {
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
  try {
    expect(childrenCpuMs()).toBeNaN()
  } finally {
    platform.mockRestore()
  }
})
