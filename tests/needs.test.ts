import { describe, expect, test } from 'vitest'

import { createLedger } from '../src/ledger.js'

describe('the oldest position that is needed', () => {
  test('is that of the oldest frame, window, question or delivery that is open', () => {
    const ledger = createLedger()
    expect(ledger.oldestNeeded()).toBeUndefined()
    const delivery = ledger.delivery({ id: 'a', need: { from: 3 } })
    const question = ledger.question({ from: 4 })
    const window = ledger.window()
    window.hold({ from: 5, epoch: 0, state: {} })
    const frame = ledger.frame(6)
    const seen = [ledger.oldestNeeded()]
    delivery.settle({ kind: 'delivered' })
    seen.push(ledger.oldestNeeded())
    question.settle({ kind: 'answered' })
    seen.push(ledger.oldestNeeded())
    window.hold(undefined)
    seen.push(ledger.oldestNeeded())
    frame.settle({ kind: 'encoded' })
    seen.push(ledger.oldestNeeded())
    expect(seen).toEqual([3, 4, 5, 6, undefined])
  })

  test('can be asked for as it will be once some deliveries are safe', () => {
    const ledger = createLedger()
    const first = ledger.delivery({ id: 'a', need: { from: 3 } })
    ledger.delivery({ id: 'b', need: { from: 7 } })
    expect(ledger.oldestNeeded(new Set([first]))).toBe(7)
    expect(ledger.oldestNeeded()).toBe(3)
  })
})

describe('the state of a window operator', () => {
  test('is that of its oldest clip that isn’t through, else what it holds now', () => {
    const ledger = createLedger()
    const window = ledger.window()
    const { place } = window
    const question = ledger.question({ from: 2, window: { place, from: 2, epoch: 0, state: { seen: 1 } } })
    window.hold({ from: 4, epoch: 0, state: { seen: 0 } })
    expect(ledger.windows()).toEqual([{ place: 0, from: 2, epoch: 0, state: { seen: 1 } }])
    question.settle({ kind: 'answered' })
    expect(ledger.windows()).toEqual([{ place: 0, from: 4, epoch: 0, state: { seen: 0 } }])
    window.hold(undefined)
    expect(ledger.windows()).toEqual([])
  })

  test('is kept from an earlier process until the operator is there again', () => {
    const mark = { place: 1, from: 9, epoch: 0, state: { open: 3 } }
    const ledger = createLedger({ windows: [mark] })
    expect(ledger.windows()).toEqual([mark])
    expect(ledger.window().restored).toBeUndefined()
    expect(ledger.window().restored).toEqual(mark)
    expect(ledger.windows()).toEqual([mark])
  })
})

describe('pausing', () => {
  test('holds frames back until the end of the pause', async () => {
    const ledger = createLedger()
    const order: string[] = []
    void ledger.whenPaused().then(() => order.push('paused'))
    ledger.pause()
    const waiting = ledger.whenFramesBelow(1).then(() => order.push('frame'))
    await new Promise((resolve) => setImmediate(resolve))
    expect([ledger.isPaused, ...order]).toEqual([true, 'paused'])
    ledger.resume()
    await Promise.all([waiting, ledger.whenResumed()])
    expect([ledger.isPaused, ...order]).toEqual([false, 'paused', 'frame'])
  })
})

test('whoever listens hears of each change, and of each result that is safe', () => {
  let changes = 0
  const delivered: string[] = []
  const ledger = createLedger({ onChange: () => changes++, onDelivered: ({ id }) => delivered.push(id) })
  ledger.frame().settle({ kind: 'skipped' })
  ledger.delivery({ id: 'a' }).settle({ kind: 'delivered' })
  ledger.delivery({ id: 'b' }).settle({ kind: 'failed', code: 'ABORTED' })
  expect({ changes, delivered }).toEqual({ changes: 3, delivered: ['a'] })
})
