import { performance } from 'node:perf_hooks'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { onInterrupt } from '../../src/cli/interrupt.js'

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
})
afterEach(() => {
  vi.restoreAllMocks()
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
