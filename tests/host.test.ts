import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { expect, test } from 'vitest'

import { HOST, isAlive, isOfEarlierProcess } from '../src/host.js'

test('a machine is named without telling its name', () => {
  expect(HOST).toMatch(/^[0-9a-f]{8}$/)
})

test('a process is alive until it has ended, also somebody else’s', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
  await once(child, 'spawn')
  const pid = child.pid ?? NaN
  expect([isAlive(process.pid), isAlive(1), isAlive(pid)]).toEqual([true, true, true])
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(pid)).toBe(false)
})

test('what is older than this process is of an earlier one that had its id', () => {
  const beganMs = Date.now() - process.uptime() * 1000
  expect(isOfEarlierProcess(beganMs - 60_000)).toBe(true)
  expect(isOfEarlierProcess(beganMs + 1)).toBe(false)
})
