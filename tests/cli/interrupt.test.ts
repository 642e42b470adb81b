import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { isUnderNohup, onInterrupt } from '../../src/cli/interrupt.js'

/** Listens, with a process that only says that it would end. */
function setUp() {
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never)
  const [stop, warning] = [vi.fn(), vi.fn()]
  const forget = onInterrupt({ warning }, 'stopping', stop)
  const press = (signal: NodeJS.Signals, atMs: number): void => {
    vi.spyOn(performance, 'now').mockReturnValue(atMs)
    process.emit(signal, signal)
  }
  return { exit, stop, warning, forget, press }
}

/** The test runner listens too; it is not to be interrupted. */
let others: NodeJS.SignalsListener[] = []
beforeEach(() => {
  others = process.listeners('SIGINT')
  process.removeAllListeners('SIGINT')
  // The test runner itself may be.
  vi.stubEnv('_', '/usr/bin/npx')
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  for (const listener of others) process.on('SIGINT', listener)
})

describe('onInterrupt', () => {
  test('the first press stops, the second one ends the process', () => {
    const { exit, stop, warning, forget, press } = setUp()
    press('SIGINT', 0)
    expect(stop).toHaveBeenCalledTimes(1)
    expect(warning).toHaveBeenCalledExactlyOnceWith('stopping (Ctrl-C again ends at once)')
    press('SIGINT', 1000)
    expect(exit).toHaveBeenCalledExactlyOnceWith(130)
    expect(stop).toHaveBeenCalledTimes(1)
    forget()
  })

  test('one press that comes twice, by the terminal and by npm, is one', () => {
    const { exit, stop, forget, press } = setUp()
    press('SIGINT', 0)
    press('SIGINT', 20)
    expect(stop).toHaveBeenCalledTimes(1)
    expect(exit).not.toHaveBeenCalled()
    press('SIGTERM', 30)
    expect(exit).toHaveBeenCalledExactlyOnceWith(143)
    forget()
  })

  test.each<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s stops it', (signal) => {
    const { stop, forget, press } = setUp()
    press(signal, 0)
    expect(stop).toHaveBeenCalledTimes(1)
    forget()
  })

  test('nothing is listened to any more after it was forgotten', () => {
    const { forget } = setUp()
    expect(process.listenerCount('SIGINT')).toBe(1)
    forget()
    expect(process.listenerCount('SIGINT')).toBe(0)
  })
})

describe('under nohup', () => {
  test.each([
    ['/usr/bin/nohup', true],
    ['nohup', true],
    ['/usr/bin/node', false],
    ['/home/me/nohup/node', false],
    [undefined, false],
  ])('a shell that names %s', (program, expected) => {
    expect(isUnderNohup({ _: program })).toBe(expected)
  })

  test('the end of the terminal stops nothing; a signal that is meant does', async () => {
    const words = [process.execPath, path('../../node_modules/jiti/lib/jiti-cli.mjs'), path('interrupted.ts')]
    const shell = spawn('bash', ['-c', 'nohup "$@"', 'bash', ...words], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [pid] = (await once(shell.stdout, 'data')) as [Buffer]
    for (const signal of ['SIGHUP', 'SIGTERM'] as const) process.kill(Number(pid), signal)
    expect(String(await once(shell.stdout, 'data'))).toBe('stopping\n')
    process.kill(Number(pid), 'SIGINT')
    // The second one that counts: if SIGHUP did, the process would have ended already.
    expect(await once(shell, 'exit')).toEqual([130, null])
  })
})

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
