import { describe, expect, test } from 'vitest'

import { createLedger } from '../src/ledger.js'

describe('counts', () => {
  test('every outcome is counted in its place', () => {
    const ledger = createLedger()
    ledger.frame().settle({ kind: 'encoded' })
    ledger.frame().settle({ kind: 'static' })
    ledger.frame().settle({ kind: 'forwarded' })
    ledger.frame().settle({ kind: 'skipped' })
    for (const reason of ['late', 'late', 'stopped']) ledger.frame().settle({ kind: 'dropped', reason })
    ledger.frame().settle({ kind: 'failed', code: 'MODEL_FAILED' })
    ledger.frame()
    ledger.question().settle({ kind: 'answered' })
    ledger.question().settle({ kind: 'failed', code: 'MODEL_FAILED' })
    ledger.question()
    ledger.delivery().settle({ kind: 'delivered' })
    ledger.delivery().settle({ kind: 'failed', code: 'SINK_FAILED' })
    ledger.delivery()
    expect(ledger.counts()).toEqual({
      ...{ handedOut: 9, encoded: 1, static: 1, forwarded: 1, skipped: 1, dropped: { late: 2, stopped: 1 }, failed: 1 },
      framesInFlight: 1,
      ...{ asked: 3, answered: 1, questionsFailed: 1, questionsInFlight: 1 },
      ...{ results: 3, delivered: 1, deliveriesFailed: 1, deliveriesInFlight: 1 },
    })
  })

  test('a snapshot does not change afterwards', () => {
    const ledger = createLedger()
    const before = ledger.counts()
    ledger.frame().settle({ kind: 'dropped', reason: 'late' })
    expect(before).toMatchObject({ handedOut: 0, dropped: {} })
  })
})

describe.each(['frame', 'question', 'delivery'] as const)('a receipt of a %s', (open) => {
  const outcome = { kind: 'failed', code: 'MODEL_FAILED' } as const

  test('knows whether it is settled', () => {
    const receipt = createLedger()[open]()
    expect(receipt.isSettled).toBe(false)
    receipt.settle(outcome)
    expect(receipt.isSettled).toBe(true)
  })

  test('can’t be settled twice, and the first outcome stays', () => {
    const ledger = createLedger()
    const receipt = ledger[open]()
    receipt.settle(outcome)
    const before = ledger.counts()
    expect(() => {
      receipt.settle(outcome)
    }).toThrow(`A ${open} was settled as failed after it had been settled as failed.`)
    expect(ledger.counts()).toEqual(before)
  })
})

describe.each([
  ['frame', 'whenFramesBelow'],
  ['question', 'whenQuestionsBelow'],
  ['delivery', 'whenDeliveriesBelow'],
] as const)('waiting for a %s', (open, wait) => {
  const outcome = { kind: 'failed', code: 'MODEL_FAILED' } as const
  /** Whether a promise has resolved, once everything that can run now has run. */
  const hasResolved = async (promise: Promise<void>): Promise<boolean> => {
    let resolved = false
    void promise.then(() => (resolved = true))
    await new Promise((resolve) => setImmediate(resolve))
    return resolved
  }

  test('resolves at once below the limit, else when enough are settled', async () => {
    const ledger = createLedger()
    const receipts = [ledger[open](), ledger[open](), ledger[open]()]
    expect(await hasResolved(ledger[wait](4))).toBe(true)
    const waiting = ledger[wait](2)
    receipts[0]?.settle(outcome)
    expect(await hasResolved(waiting)).toBe(false)
    receipts[1]?.settle(outcome)
    expect(await hasResolved(waiting)).toBe(true)
  })

  test('rejects with ABORTED when it is stopped, before and meanwhile', async () => {
    const [ledger, abort] = [createLedger(), new AbortController()]
    ledger[open]()
    const waiting = ledger[wait](1, abort.signal)
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(ledger[wait](9, abort.signal)).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('refuses a limit that could never be met', () => {
    expect(() => createLedger()[wait](0)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })
})
